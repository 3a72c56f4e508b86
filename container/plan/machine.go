// Package plan turns an OCI runtime specification and its annotations into a plan that needs no further decisions.
//
// [Machine.Container] reads config.json of a bundle and plans the container. [Machine.HostProcess] plans a job container, which Kubernetes calls a HostProcess
// container, and [HostProcess.Exec] one process in it. [Machine.WCOW] plans a Windows Server container as a document of
// the Host Compute Service, and [WCOW.Exec] one process in it.
//
// A plan is complete: command lines are quoted, and limits are in the units of the job object. Only the program and the
// working directory of a job container's process are found at its start, by [Search]. An unsupported field is an error
// that names the field and what to do. The annotation [BestEffort] turns such errors into warnings.
//
// Windows paths and command lines are treated as text, so a plan is the same on every system. Errors contain no values of
// environment variables and no arguments.
package plan

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/siloshim/siloshim/internal/textfile"
)

// Machine describes the machine that a plan is for. A field that is zero is that of the machine it runs on.
type Machine struct {
	// Lookup reports whether path is a file.
	Lookup func(path string) bool
	// Processors is the number of logical processors in all processor groups.
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

// binds reports whether the bind filter can give a job its own view of the host's files. Windows Server 2022 is the first
// with this library, and the first whose filter supports silos. hcsshim checks the same file (FileBindingSupported in
// internal/jobcontainers).
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

// same reports whether two paths lead to one file. Equal paths need no call.
func (h Machine) same(a, b string) bool { return strings.EqualFold(a, b) || h.Same(a, b) }

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	two, err := os.Stat(b)
	return err == nil && os.SameFile(one, two)
}

// resolveNearest follows the links in the part of a path that exists.
func (h Machine) resolveNearest(path string) (string, error) {
	real, err := h.Resolve(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	for end := len(path); ; {
		if end = strings.LastIndexAny(path[:end], `\/`); end <= len(`C:`) {
			return path, nil // the drive does not exist either
		}
		if real, err := h.Resolve(path[:end]); err == nil {
			return join(real, backslashes(path[end:])), nil
		}
	}
}
