package layer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/Microsoft/go-winio/pkg/guid"
	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
	"github.com/siloshim/siloshim/schema"
)

// The layer functions of vmcompute.dll. Microsoft does not document them; the source is hcsshim's internal/wclayer. Each
// returns an HRESULT.
var (
	modvmcompute = windows.NewLazySystemDLL("vmcompute.dll")

	procActivateLayer      = modvmcompute.NewProc("ActivateLayer")
	procDeactivateLayer    = modvmcompute.NewProc("DeactivateLayer")
	procPrepareLayer       = modvmcompute.NewProc("PrepareLayer")
	procUnprepareLayer     = modvmcompute.NewProc("UnprepareLayer")
	procCreateSandboxLayer = modvmcompute.NewProc("CreateSandboxLayer")
	procGetLayerMountPath  = modvmcompute.NewProc("GetLayerMountPath")
	procNameToGuid         = modvmcompute.NewProc("NameToGuid")
)

// filterDriver is the only driver. The paths of layers are absolute, so its home directory is empty.
var filterDriver = driverInfo{flavour: 1, homeDir: new(uint16)}

// System is the storage of this machine.
func System() Storage { return system{} }

type system struct{}

func (system) LayerID(path string) (string, error) {
	name, err := windows.UTF16PtrFromString(filepath.Base(path))
	if err != nil {
		return "", err
	}
	var id guid.GUID
	if err := layerCall(procNameToGuid, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&id))); err != nil {
		return "", err
	}
	return id.String(), nil
}

func (system) Activate(scratch string, parents []schema.Layer) error {
	if err := ensureScratch(scratch, parents); err != nil {
		return err
	}
	return onLayer(procActivateLayer, scratch)
}

// ensureScratch makes the disk of a writable layer if the snapshotter has not.
func ensureScratch(scratch string, parents []schema.Layer) error {
	if _, err := os.Stat(filepath.Join(scratch, "sandbox.vhdx")); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(scratch, 0o777); err != nil {
		return err
	}
	return withParents(parents, func(list *layerDescriptor, n int) error {
		return onLayer(procCreateSandboxLayer, scratch, 0, uintptr(unsafe.Pointer(list)), uintptr(n))
	})
}

func (system) Deactivate(scratch string) error {
	return ignoreMissing(onLayer(procDeactivateLayer, scratch))
}

// preparing is held by Prepare. Windows has been observed to time out when it prepares several layers at once.
var preparing sync.Mutex

func (system) Prepare(scratch string, parents []schema.Layer) error {
	preparing.Lock()
	defer preparing.Unlock()
	return withParents(parents, func(list *layerDescriptor, n int) error {
		return onLayer(procPrepareLayer, scratch, uintptr(unsafe.Pointer(list)), uintptr(n))
	})
}

func (system) Unprepare(scratch string) error {
	return ignoreMissing(onLayer(procUnprepareLayer, scratch))
}

func (system) Volume(scratch string) (string, error) {
	length := uintptr(0)
	if err := onLayer(procGetLayerMountPath, scratch, uintptr(unsafe.Pointer(&length)), 0); err != nil {
		return "", err
	}
	if length == 0 {
		return "", fmt.Errorf("the layer has no volume: %w", ErrNotReady)
	}
	text := make([]uint16, length)
	if err := onLayer(procGetLayerMountPath, scratch, uintptr(unsafe.Pointer(&length)), uintptr(unsafe.Pointer(&text[0]))); err != nil {
		return "", err
	}
	return strings.TrimRight(windows.UTF16ToString(text), `\`) + `\`, nil
}

// onLayer calls a function with the driver and the directory of a layer as its first arguments.
//
//go:uintptrescapes
func onLayer(p *windows.LazyProc, path string, more ...uintptr) error {
	text, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(text)
	args := append([]uintptr{uintptr(unsafe.Pointer(&filterDriver)), uintptr(unsafe.Pointer(text))}, more...)
	return layerCall(p, args...)
}

// layerCall calls a function that returns an HRESULT. A pointer that is converted to uintptr in the argument list stays
// valid during the call.
//
//go:uintptrescapes
func layerCall(p *windows.LazyProc, args ...uintptr) error {
	err := winsys.HRESULT(p, args...)
	if errors.Is(err, windows.ERROR_NOT_READY) || errors.Is(err, windows.ERROR_DEVICE_NOT_CONNECTED) {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return err
}

// ignoreMissing returns nil for an error about an object that does not exist, and other errors as they are.
func ignoreMissing(err error) error {
	if errors.Is(err, ErrNotReady) {
		return nil
	}
	return winsys.IgnoreMissing(err)
}

// withParents calls call with the descriptors of layers. They are valid until it returns.
func withParents(parents []schema.Layer, call func(list *layerDescriptor, n int) error) error {
	list := make([]layerDescriptor, len(parents))
	for i, p := range parents {
		id, err := guid.FromString(p.Id)
		if err != nil {
			return fmt.Errorf("layer id %q: %w", p.Id, err)
		}
		path, err := windows.UTF16PtrFromString(p.Path)
		if err != nil {
			return err
		}
		list[i] = layerDescriptor{id: id, path: path}
	}
	if len(list) == 0 {
		return errors.New("the layer has no parents")
	}
	return call(&list[0], len(list))
}
