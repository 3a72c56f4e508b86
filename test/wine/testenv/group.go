package testenv

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// Group finds every Windows process that descends from one command, also after its parents have exited. A variable in the
// Unix environment of the command marks it. Descendants inherit the mark, whatever their Windows environment is.
type Group struct {
	mark  string
	paths []string // beginnings of the members' executables; none for all
}

// groups numbers the groups of this process.
var groups atomic.Uint64

// NewGroup makes an empty group.
func NewGroup() *Group {
	return &Group{mark: fmt.Sprintf("SILOSHIM_TEST_GROUP=%d.%d", os.Getpid(), groups.Add(1))}
}

// groupOf is the group of all processes of the prefix whose executable's path begins with one of these. Services descend from
// Wine's service manager, which has no mark.
func (e *Env) groupOf(paths []string) *Group {
	return &Group{"WINEPREFIX=" + e.path("prefix"), paths}
}

// has reports whether the path of a process is that of a member.
func (g *Group) has(p Process) bool {
	return len(g.paths) == 0 || len(p.Args) > 0 && slices.ContainsFunc(g.paths, func(path string) bool {
		return len(p.Args[0]) >= len(path) && strings.EqualFold(p.Args[0][:len(path)], path)
	})
}

// Add adds a command that has not been started. A process belongs to the group that was added last.
func (g *Group) Add(cmd *exec.Cmd) {
	kept := cmd.Env[:0:0]
	for _, kv := range cmd.Env {
		if !strings.HasPrefix(kv, "SILOSHIM_TEST_GROUP=") {
			kept = append(kept, kv)
		}
	}
	cmd.Env = append(kept, g.mark)
}

// Process is a Windows process, described by Linux.
type Process struct {
	// Pid is the Unix process id. It is not the Windows one.
	Pid int
	// Args is the command line, split by Wine. Args[0] is the executable.
	Args []string

	loading bool // Wine's loader has not come to the Windows program
}

// Name is the executable without its directory.
func (p Process) Name() string {
	if len(p.Args) == 0 {
		return ""
	}
	return p.Args[0][strings.LastIndexAny(p.Args[0], `\/`)+1:]
}

// Kill ends the process at once, as TerminateProcess does.
func (p Process) Kill() error {
	found, err := os.FindProcess(p.Pid)
	if err == nil {
		err = found.Kill()
	}
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s (unix pid %d): %w", p.Name(), p.Pid, err)
	}
	return nil
}

// Processes lists the members that run. Processes of Wine itself, such as the console host, are omitted, and so are those
// that are orphans of the loader.
func (g *Group) Processes() ([]Process, error) {
	all, err := g.members()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p Process) bool { return ofWine(p) || p.orphan() }), nil
}

// members lists all members.
func (g *Group) members() ([]Process, error) {
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, path := range environs {
		// A process that exits meanwhile cannot be read, and one that has exited has no environment: neither is a member.
		environ, err := os.ReadFile(path)
		if err != nil || !hasLine(environ, g.mark) {
			continue
		}
		line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err != nil || len(line) == 0 {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		p := Process{Pid: pid, Args: strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")}
		if len(p.Args) > 1 && filepath.Base(p.Args[0]) == loader {
			p.loading, p.Args = true, p.Args[1:]
		}
		if g.has(p) {
			found = append(found, p)
		}
	}
	return found, nil
}

// loader is the Unix executable of a Wine process until its Windows program runs.
const loader = "wine64"

// orphan reports whether a process never became a Windows process and never will. When a job ends while one of its programs
// starts another, Wine forgets the other, whose loader then waits for an answer that cannot come. On Windows it ends with the
// job. The pipe for its requests comes from the server, which keeps the other end; only then does a loader make the pipe for
// the answers.
func (p Process) orphan() bool {
	if !p.loading {
		return false
	}
	servers, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return false
	}
	mine, answers := pipes(strconv.Itoa(p.Pid)), false
	for _, path := range servers {
		if name, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(name), "wineserver") {
			continue
		}
		for pipe, ends := range pipes(filepath.Base(filepath.Dir(path))) {
			if mine[pipe]&writes != 0 && ends&reads != 0 {
				return false
			}
		}
	}
	for _, ends := range mine {
		answers = answers || ends == reads|writes
	}
	return answers
}

// The ends of a pipe.
const reads, writes fs.FileMode = 0o400, 0o200

// pipes are the Unix pipes that a process has open, each with its ends. Most programs inherit an end of some pipe.
func pipes(pid string) map[string]fs.FileMode {
	fds, _ := filepath.Glob("/proc/" + pid + "/fd/*")
	found := map[string]fs.FileMode{}
	for _, fd := range fds {
		to, err := os.Readlink(fd)
		if err != nil || !strings.HasPrefix(to, "pipe:") {
			continue
		}
		if info, err := os.Lstat(fd); err == nil {
			found[to] |= info.Mode() & (reads | writes)
		}
	}
	return found
}

// Kill ends every member but those of Wine, orphans included. It repeats until none is left, because a member may start another process meanwhile.
func (g *Group) Kill() error {
	for {
		left, err := g.members()
		if err != nil {
			return err
		}
		if left = slices.DeleteFunc(left, func(p Process) bool { return ofWine(p) && !p.orphan() }); len(left) == 0 {
			return nil
		}
		for _, p := range left {
			if err := p.Kill(); err != nil {
				return err
			}
		}
	}
}

// ofWine reports whether Wine started a process for itself.
func ofWine(p Process) bool {
	name := strings.ToLower(p.Name())
	switch name {
	case "conhost.exe", "wineserver64", "explorer.exe", "services.exe", "winedevice.exe", "plugplay.exe", "svchost.exe",
		"rpcss.exe", "start.exe":
		return true
	}
	return false
}

// hasLine reports whether line is one of the NUL-ended lines of text.
func hasLine(text []byte, line string) bool {
	return bytes.Contains(append([]byte{0}, text...), []byte("\x00"+line+"\x00"))
}
