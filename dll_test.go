package siloshim

import (
	"debug/pe"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// programs are the executables of a release.
var programs = []string{"cmd/containerd-shim-silo-v1", "cmd/silo"}

// anywhere are the calls that load a DLL from the directory of the executable or from PATH.
var anywhere = regexp.MustCompile(`\b(?:windows|syscall)\.(?:LoadLibrary|LoadLibraryEx|LoadDLL|MustLoadDLL|NewLazyDLL)\(("?[\w.]*)`)

// known are DLLs that Windows takes from System32 whatever the search path is: they are in the list KnownDLLs. Package
// prometheus loads these two, for a collector that silo does not use.
//
// https://learn.microsoft.com/windows/win32/dlls/dynamic-link-library-search-order
var known = []string{`"kernel32.dll`, `"psapi.dll`}

// TestDLLs_LinkedPackages_LoadFromSystem32 reads the source of every package that a program links. Those of Go itself load
// from System32: the runtime does that for all of them.
func TestDLLs_LinkedPackages_LoadFromSystem32(t *testing.T) {
	files := 0
	for _, program := range programs {
		for _, line := range list(t, "windows", "-deps", "-f", `{{if not .Standard}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}`, "./"+program) {
			if line == "" || strings.HasSuffix(filepath.ToSlash(filepath.Dir(line)), "golang.org/x/sys/windows") || strings.Contains(filepath.ToSlash(line), "/golang.org/x/sys@") {
				continue // it declares the functions, and uses NewLazySystemDLL
			}
			files++
			text, err := os.ReadFile(line)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range anywhere.FindAllSubmatch(text, -1) {
				if slices.Contains(known, string(call[1])) {
					continue
				}
				t.Errorf("%s: %s) finds the DLL by its bare name; use windows.NewLazySystemDLL", line, call[0])
			}
		}
	}
	if files < 300 {
		t.Errorf("only %d files were read", files)
	}
}

// TestDLLs_ImportTables_HaveKernel32Alone: the loader of Windows takes kernel32.dll from its list of known DLLs.
func TestDLLs_ImportTables_HaveKernel32Alone(t *testing.T) {
	for _, program := range programs {
		exe := filepath.Join(t.TempDir(), "program.exe")
		build := exec.CommandContext(t.Context(), "go", "build", "-tags", "no_grpc", "-o", exe, "./"+program)
		build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		image, err := pe.Open(exe)
		if err != nil {
			t.Fatal(err)
		}
		// ImportedLibraries always returns nothing.
		symbols, err := image.ImportedSymbols()
		image.Close()
		if err != nil || len(symbols) == 0 {
			t.Fatalf("%s imports %q, %v", program, symbols, err)
		}
		var dlls []string
		for _, s := range symbols {
			_, dll, _ := strings.Cut(s, ":")
			if dll = strings.ToLower(dll); !slices.Contains(dlls, dll) {
				dlls = append(dlls, dll)
			}
		}
		if !slices.Equal(dlls, []string{"kernel32.dll"}) {
			t.Errorf("%s imports functions of %q, want kernel32.dll alone", program, dlls)
		}
	}
}
