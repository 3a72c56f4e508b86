package plan

import (
	"os"
	"strings"

	"github.com/siloshim/siloshim/internal/textfile"
)

// Machine is what planning has to know of the machine. The zero Machine is the one that runs.
type Machine struct {
	// Lookup reports whether path is a file.
	Lookup func(path string) bool
	// Processors is the number of the machine's logical processors, in all processor groups.
	Processors int
	// Build is the build number of Windows.
	Build uint32
	// Root is the Windows directory.
	Root string
	// Resolve follows the links of a path to an existing file or directory. The Host Compute Service does not.
	Resolve func(path string) (string, error)
	// Same reports whether two paths lead to one file or directory.
	Same func(a, b string) bool
	// Read reads a small file.
	Read func(path string) ([]byte, error)
}

func (h Machine) withDefaults() Machine {
	if h.Lookup == nil {
		h.Lookup = isFile
	}
	if h.Processors == 0 {
		h.Processors = processors()
	}
	if h.Build == 0 {
		h.Build = build()
	}
	if h.Root == "" {
		h.Root = windowsDir()
	}
	if h.Resolve == nil {
		h.Resolve = resolve
	}
	if h.Same == nil {
		h.Same = sameFile
	}
	if h.Read == nil {
		h.Read = textfile.Read
	}
	return h
}

// binds reports whether a job can have a view of its own of the host's files: Windows Server 2022 is the first whose
// bind filter knows silos, and the first with this library. hcsshim asks for the same file (FileBindingSupported of its
// internal/jobcontainers); Server 2019 lacks it.
func (h Machine) binds() bool { return h.Lookup(join(h.Root, `System32\bindfltapi.dll`)) }

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

// same saves the question where the answer is plain.
func (h Machine) same(a, b string) bool { return strings.EqualFold(a, b) || h.Same(a, b) }

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	two, err := os.Stat(b)
	return err == nil && os.SameFile(one, two)
}
