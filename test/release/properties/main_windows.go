package main

import (
	"fmt"
	"os"
	"structs"
	"unsafe"

	"golang.org/x/sys/windows"
)

func main() {
	for _, path := range os.Args[1:] {
		if err := show(path); err != nil {
			fmt.Fprintf(os.Stderr, "properties: %s: %v\n", path, err)
			os.Exit(1)
		}
	}
}

// names are the properties that Explorer shows.
var names = []string{"CompanyName", "FileDescription", "FileVersion", "InternalName", "LegalCopyright", "OriginalFilename", "ProductName", "ProductVersion", "Comments"}

func show(path string) error {
	size, err := windows.GetFileVersionInfoSize(path, nil)
	if err != nil {
		return err
	}
	block := make([]byte, size)
	if err := windows.GetFileVersionInfo(path, 0, size, unsafe.Pointer(&block[0])); err != nil {
		return err
	}
	var fixed *windows.VS_FIXEDFILEINFO
	if err := query(block, `\`, unsafe.Pointer(&fixed)); err != nil {
		return err
	}
	fmt.Printf("File version: %s\nProduct version: %s\n", dotted(fixed.FileVersionMS, fixed.FileVersionLS), dotted(fixed.ProductVersionMS, fixed.ProductVersionLS))
	var translation *language
	if err := query(block, `\VarFileInfo\Translation`, unsafe.Pointer(&translation)); err != nil {
		return err
	}
	for _, name := range names {
		var value *uint16
		if err := query(block, fmt.Sprintf(`\StringFileInfo\%04x%04x\%s`, translation.language, translation.codepage, name), unsafe.Pointer(&value)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%s: %s\n", name, windows.UTF16PtrToString(value))
	}
	icons, err := icons(path)
	fmt.Printf("Icons: %d\n", icons)
	return err
}

// language is an element of the translations of a version resource.
type language struct {
	_                  structs.HostLayout
	language, codepage uint16
}

func query(block []byte, path string, value unsafe.Pointer) error {
	var length uint32
	return windows.VerQueryValue(unsafe.Pointer(&block[0]), path, value, &length)
}

func dotted(high, low uint32) string {
	return fmt.Sprintf("%d.%d.%d.%d", high>>16, high&0xFFFF, low>>16, low&0xFFFF)
}

var extractIcon = windows.NewLazySystemDLL("shell32.dll").NewProc("ExtractIconExW")

// icons counts the icons of an executable.
//
//	UINT ExtractIconExW(LPCWSTR lpszFile, int nIconIndex, HICON *phiconLarge, HICON *phiconSmall, UINT nIcons);
//
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-extracticonexw
func icons(path string) (uint32, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	count, _, _ := extractIcon.Call(uintptr(unsafe.Pointer(name)), ^uintptr(0), 0, 0, 0)
	return uint32(count), nil
}
