package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// modulePath is the path of the module whose root holds the .bed directory.
const modulePath = "github.com/siloshim/siloshim"

// ErrMissing means that this machine has no test environment. The error that wraps it names the missing capability and
// the command that provides it. A test that needs the test environment skips with that text; see [Require].
var ErrMissing = errors.New("no Wine test environment")

// Env is a Wine prefix that is set up and whose wineserver runs. It is safe for concurrent use, also by several
// processes at once.
type Env struct {
	// Immutable after locate.
	root string // of the module
	dir  string // root/.bed

	// users is locked shared while this process uses the server; see server.go.
	users *lock
}

// Open finds the test environment of the module around the working directory and starts its wineserver. The error wraps
// [ErrMissing] if Wine is not installed or the test environment was never set up. Close the Env after use.
func Open(ctx context.Context) (*Env, error) {
	e, err := locate()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(wineLoader); err != nil {
		return nil, fmt.Errorf("%w: wine64 not installed; run make bed", ErrMissing)
	}
	if !e.stamped(gapStamp) {
		return nil, fmt.Errorf("%w: %s is not set up; run make bed", ErrMissing, e.dir)
	}
	if err := e.startServer(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// Close releases the test environment. The wineserver exits some time after its last process; [Env.StopIfLast] and
// [Env.Stop] end it at once.
func (e *Env) Close() error { return e.users.release() }

// locate finds the module root above the working directory. It creates nothing.
func locate() (*Env, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find module root: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module "+modulePath+"\n") {
			return &Env{root: at, dir: filepath.Join(at, ".bed")}, nil
		}
		if at == filepath.Dir(at) {
			return nil, fmt.Errorf("find module root: no go.mod of %s above %s", modulePath, dir)
		}
	}
}

// Root is the directory of the module.
func (e *Env) Root() string { return e.root }

// path joins names below the .bed directory.
func (e *Env) path(names ...string) string {
	return filepath.Join(append([]string{e.dir}, names...)...)
}

// Command prepares a Windows executable to run under Wine. exe is a Windows path, or a Unix path to a .exe file. The
// command has no display and no Wine debug output. The caller sets its standard streams. [exec.ExitError.ExitCode]
// returns the Windows exit code modulo 256, because Unix has no more.
//
// Cancelling ctx kills the process itself. Its descendants continue until [Env.Stop], or [Group.Kill] of the command's
// group.
func (e *Env) Command(ctx context.Context, exe string, args ...string) *exec.Cmd {
	cmd := command(ctx, wineLoader, append([]string{exe}, args...)...)
	cmd.Env = e.environ()
	// A grandchild that still runs may have a pipe of this process open; Wait must not wait for it forever.
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// environ is the caller's environment with the variables that Wine needs.
func (e *Env) environ() []string {
	env := []string{
		"WINEPREFIX=" + e.path("prefix"),
		"WINELOADER=" + wineLoader,
		"WINEDEBUG=-all",
		// No test needs Mono, Gecko or desktop menus; without this wineboot opens a dialog for them.
		"WINEDLLOVERRIDES=mscoree=;mshtml=;winemenubuilder.exe=d",
		// Go interrupts its threads to preempt them, also during a call into Wine. Not doing so excludes a cause of failures.
		"GODEBUG=asyncpreemptoff=1",
	}
	for _, kv := range os.Environ() {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "DISPLAY", "WAYLAND_DISPLAY", "WINEPREFIX", "WINELOADER", "WINEDEBUG", "WINEDLLOVERRIDES", "WINEARCH", "GODEBUG":
		default:
			env = append(env, kv)
		}
	}
	return env
}

// binWindows is the directory in the prefix that holds the executables of the tests.
const binWindows = `C:\silo\bin`

// WindowsPath returns the Windows form of an absolute Unix path: C:\ for files of the prefix, Z:\ for all others.
func (e *Env) WindowsPath(unix string) string {
	drive, rest := `Z:\`, strings.TrimPrefix(filepath.Clean(unix), "/")
	if rel, err := filepath.Rel(e.drive(), unix); err == nil && filepath.IsLocal(rel) {
		drive, rest = `C:\`, rel
	}
	if rest == "." { // the root of the drive itself
		rest = ""
	}
	return drive + strings.ReplaceAll(rest, "/", `\`)
}

// UnixPath returns the Unix form of an absolute Windows path with a drive letter.
func (e *Env) UnixPath(windows string) string {
	drive, rest, _ := strings.Cut(windows, ":")
	rest = strings.ReplaceAll(rest, `\`, "/")
	switch drive = strings.ToLower(drive); drive {
	case "c":
		return filepath.Join(e.drive(), rest)
	case "z":
		return filepath.Clean("/" + rest)
	default:
		return filepath.Join(e.path("prefix", "dosdevices"), drive+":", rest)
	}
}

// Exe is the Windows path of an executable that [Setup] or [Build] installed, such as "ctr" or "payload".
func (e *Env) Exe(name string) string { return binWindows + `\` + name + ".exe" }

// drive is the Unix directory behind C:.
func (e *Env) drive() string { return e.path("prefix", "drive_c") }

// setarch is part of Debian's util-linux, which is always installed.
const setarch = "setarch"

// fixable reports whether this machine permits fixed addresses. Some containers forbid them.
var fixable = sync.OnceValue(func() bool { return exec.Command(setarch, "-R", "true").Run() == nil })

// command prepares a program, and Wine's loader with fixed addresses. Debian's Wine has no preloader, which would keep the
// address of KUSER_SHARED_DATA, 0x7ffe0000, free. The kernel may put the heap of the loader there. Then the process exits
// at once with 1 and no message; one process in some thousands does. Children inherit the setting.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if name == wineLoader && fixable() {
		name, args = setarch, append([]string{"-R", wineLoader}, args...)
	}
	return exec.CommandContext(ctx, name, args...)
}
