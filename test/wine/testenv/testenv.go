package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// modulePath names the module whose root holds the .bed directory.
const modulePath = "github.com/siloshim/siloshim"

// ErrMissing says that this machine has no test environment. The error that wraps it names the missing capability and the command
// that provides it; a test that needs the test environment skips with that text (see [Require]).
var ErrMissing = errors.New("no Wine test environment")

// Env is a Wine prefix that is set up and whose wineserver runs. It is safe for concurrent use, also by several
// processes at once.
type Env struct {
	// Immutable after locate.
	root string // of the module
	dir  string // root/.bed

	// users is held shared while this process uses the server; see server.go.
	users *lock
}

// Open finds the test environment of the module around the working directory and brings its wineserver up. The error wraps
// [ErrMissing] where Wine is not installed or the test environment was never set up. Close the test environment after use.
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

// Close lets go of the test environment. The wineserver ends by itself some time after its last process; [Env.StopIfLast] and
// [Env.Stop] end it at once.
func (e *Env) Close() error { return e.users.release() }

// locate finds the module root above the working directory. It makes nothing.
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
// command has no display and no Wine debug output; its standard streams are the caller's to set. A Windows exit code
// reaches [exec.ExitError.ExitCode] modulo 256, as Unix has no more.
//
// Cancelling ctx kills the process itself; what it started lives on until [Env.Stop], or [Group.Kill] of the group
// that the command belongs to.
func (e *Env) Command(ctx context.Context, exe string, args ...string) *exec.Cmd {
	cmd := command(ctx, wineLoader, append([]string{exe}, args...)...)
	cmd.Env = e.environ()
	// A surviving grandchild may hold a pipe of ours; Wait must not wait for it for ever.
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// environ is the caller's environment, made fit for Wine.
func (e *Env) environ() []string {
	env := []string{
		"WINEPREFIX=" + e.path("prefix"),
		"WINELOADER=" + wineLoader,
		"WINEDEBUG=-all",
		// Neither Mono, Gecko nor desktop menus are wanted; without this wineboot asks for them.
		"WINEDLLOVERRIDES=mscoree=;mshtml=;winemenubuilder.exe=d",
		// Go stops its own threads to preempt them, also in the midst of a call into Wine. A precaution: one cause less.
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
