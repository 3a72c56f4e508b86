package spec

import (
	"os"
	"path/filepath"
	"runtime"
)

// Host is what planning has to know of the machine. The zero Host is the one that runs.
type Host struct {
	// Lookup reports whether path is a file.
	Lookup func(path string) bool
	// Processors is the number of the machine's logical processors.
	Processors int
	// Root is the Windows directory.
	Root string
	// Path is the search path for containers that bring none.
	Path string
	// Rootfs says that the host can give a job a root file system of its own.
	Rootfs bool
	// Resolve follows the links of a path to an existing file or directory. The Host Compute Service does not.
	Resolve func(path string) (string, error)
	// Read reads a small file.
	Read func(path string) ([]byte, error)
}

func (h Host) withDefaults() Host {
	if h.Lookup == nil {
		h.Lookup = isFile
	}
	if h.Processors == 0 {
		h.Processors = runtime.NumCPU()
	}
	if h.Root == "" {
		h.Root = windowsDir()
	}
	if h.Path == "" {
		h.Path = os.Getenv("PATH")
	}
	if h.Resolve == nil {
		h.Resolve = filepath.EvalSymlinks
	}
	if h.Read == nil {
		h.Read = os.ReadFile
	}
	return h
}

func windowsDir() string {
	if dir := os.Getenv("SystemRoot"); dir != "" {
		return dir
	}
	return `C:\Windows`
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
