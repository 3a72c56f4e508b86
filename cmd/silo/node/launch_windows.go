package node

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/pipe"
)

// protection names what the data of a [Launch] is protected with: the data protection API, for one user of this machine.
const protection = "dpapi-user"

// protect encrypts for the current user.
//
// https://learn.microsoft.com/windows/win32/api/dpapi/nf-dpapi-cryptprotectdata
func protect(plain []byte) ([]byte, error) {
	name, err := windows.UTF16PtrFromString("silo")
	if err != nil {
		return nil, err
	}
	var out windows.DataBlob
	if err := windows.CryptProtectData(blob(plain), name, nil, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out); err != nil {
		return nil, err
	}
	return taken(&out)
}

// unprotect decrypts what protect has returned to the same user.
func unprotect(sealed []byte) ([]byte, error) {
	var out windows.DataBlob
	if err := windows.CryptUnprotectData(blob(sealed), nil, nil, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out); err != nil {
		return nil, err
	}
	return taken(&out)
}

func blob(data []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(data)), Data: unsafe.SliceData(data)}
}

// taken copies a blob that the system has allocated, and frees it.
func taken(b *windows.DataBlob) ([]byte, error) {
	data := append([]byte(nil), unsafe.Slice(b.Data, b.Size)...)
	_, err := windows.LocalFree(windows.Handle(unsafe.Pointer(b.Data)))
	return data, err
}

// writeOwned writes a file that its owner and the administrators alone may read.
func writeOwned(path string, text []byte) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	sa, err := pipe.SecurityAttributes(pipe.Owner)
	if err != nil {
		return err
	}
	// A file that is left by an interrupted write would keep its own access rights.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, sa, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return &os.PathError{Op: "create", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(h), path)
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
