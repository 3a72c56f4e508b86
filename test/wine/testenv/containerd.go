package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// Containerd is a real containerd.exe with a separate root, state, pipe and log. Only Ctr and the paths are safe for
// concurrent use.
type Containerd struct {
	// Immutable after Env.Containerd.
	wine   *Env
	name   string
	home   string // the Windows directory of its root, its state and its files
	daemon string // containerd.exe
	args   []string
	client string // ctr.exe
	group  *Group
	env    []string
	files  map[string]string // the configuration: texts by their paths with slashes
	owner  *lock             // of the name, until Stop

	// The daemon that runs, or ran last.
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended

	killed sync.Once
}

// config is a configuration for job containers: no CRI, and no directory outside the test environment.
const config = `version = %[3]d
root = 'C:\silo\%[1]s\root'
state = 'C:\silo\%[1]s\state'
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.grpc.v1.cri",
  "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images",
]
[grpc]
  address = '%[2]s'
[debug]
  level = "debug"
`

// nameRule has the names that are valid for directories and pipes.
var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// Containerd starts a containerd.exe named name and waits until it serves. A name can be used once at a time. Files of an
// earlier daemon with that name are removed first. Names consist of lower case letters, digits and dashes, and are not
// "bin", which holds the executables. env has entries KEY=VALUE for the environment of the daemon, which its shims
// inherit. Stop it after use.
func (e *Env) Containerd(ctx context.Context, name string, env ...string) (*Containerd, error) {
	text := fmt.Sprintf(config, name, address(name), configVersion())
	return e.containerd(ctx, name, map[string]string{"config.toml": text}, env)
}

// containerd starts a daemon with the files of its configuration, which include config.toml.
func (e *Env) containerd(ctx context.Context, name string, files map[string]string, env []string) (*Containerd, error) {
	if name == "bin" || !nameRule.MatchString(name) {
		return nil, fmt.Errorf("start containerd %q: the name must match %s and not be bin", name, nameRule)
	}
	daemon, err := e.daemonExe("containerd")
	if err != nil {
		return nil, fmt.Errorf("start containerd %s: %w", name, err)
	}
	home := `C:\silo\` + name
	return e.launch(ctx, &Containerd{name: name, home: home, daemon: daemon, args: []string{"--config", home + `\config.toml`}, env: env, files: files})
}

// launch starts a daemon in a new home.
func (e *Env) launch(ctx context.Context, c *Containerd) (*Containerd, error) {
	if err := e.own(c, NewGroup()); err != nil {
		return nil, fmt.Errorf("start containerd %s: %w", c.name, err)
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start containerd %s: %w", c.name, err), c.Stop())
	}
	return c, nil
}

// own takes the name of a daemon and prepares its home.
func (e *Env) own(c *Containerd, group *Group) error {
	client, err := e.daemonExe("ctr")
	if err != nil {
		return err
	}
	owner, err := tryLock(e.path("run", c.name+".lock"))
	if errors.Is(err, errLocked) {
		return fmt.Errorf("one of this name runs already: %w", err)
	}
	if err != nil {
		return err
	}
	c.wine, c.client, c.group, c.owner = e, client, group, owner
	if err := c.prepare(); err != nil {
		return errors.Join(err, c.Stop())
	}
	return nil
}

// prepare makes empty directories and writes the configuration.
func (c *Containerd) prepare() error {
	for _, dir := range []string{c.dir(), filepath.Dir(c.LogPath())} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for name, text := range c.files {
		path := filepath.Join(c.dir(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// start runs the daemon and waits until it answers.
func (c *Containerd) start(ctx context.Context) error {
	log, err := os.OpenFile(c.LogPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the daemon has a duplicate
	// ctx bounds only the start of the daemon, which outlives it.
	cmd := c.wine.Command(context.WithoutCancel(ctx), c.daemon, c.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(cmd.Env, c.env...)
	c.group.Add(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	c.cmd, c.done, c.killed = cmd, done, sync.Once{}
	go func() { // ends with the daemon; Kill waits for it
		defer close(done)
		_ = cmd.Wait() // the log has the reason of an exit
	}()
	return c.Serving(ctx)
}

// Serving queries the daemon's version until it answers, exits, or ctx is done.
func (c *Containerd) Serving(ctx context.Context) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		text, err := c.Ctr(ctx, "--connect-timeout", "2s", "version").CombinedOutput()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; ctr printed: %s", ctx.Err(), text)
		case <-c.done:
			return fmt.Errorf("containerd.exe exited: %v; see %s", c.cmd.ProcessState, c.LogPath())
		case <-again.C:
		}
	}
}

// Ctr prepares a ctr.exe command against this daemon.
func (c *Containerd) Ctr(ctx context.Context, args ...string) *exec.Cmd {
	return c.wine.Command(ctx, c.client, append([]string{"--address", c.Address()}, args...)...)
}

// Kill ends the daemon at once, as a crash would. The shims continue.
func (c *Containerd) Kill() error {
	if c.cmd == nil {
		return nil
	}
	var err error
	c.killed.Do(func() { err = c.cmd.Process.Kill() })
	<-c.done
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill containerd %s: %w", c.name, err)
	}
	return nil
}

// Restart kills the daemon if it runs, starts it again on the same root and state, and waits until it serves.
func (c *Containerd) Restart(ctx context.Context) error {
	if err := c.Kill(); err != nil {
		return err
	}
	if err := c.start(ctx); err != nil {
		return fmt.Errorf("restart containerd %s: %w", c.name, err)
	}
	return nil
}

// Stop ends the daemon and all its descendants: shims, containers, helpers. It may be called again.
func (c *Containerd) Stop() error {
	err := errors.Join(c.Kill(), c.group.Kill(), c.owner.release())
	c.owner = nil
	return err
}

// Remove deletes the root, the state and the log of a stopped daemon.
func (c *Containerd) Remove() error {
	return errors.Join(os.RemoveAll(c.dir()), os.RemoveAll(filepath.Dir(c.LogPath())), os.Remove(c.wine.path("run", c.name+".lock")))
}

// Processes lists the descendants of this daemon and of the earlier ones of this Containerd, without the daemon. An empty
// list proves that no process remains.
func (c *Containerd) Processes() ([]Process, error) {
	all, err := c.group.Processes()
	if err != nil {
		return nil, fmt.Errorf("list processes of containerd %s: %w", c.name, err)
	}
	var rest []Process
	for _, p := range all {
		if c.cmd == nil || p.Pid != c.cmd.Process.Pid {
			rest = append(rest, p)
		}
	}
	return rest, nil
}

// Address is the daemon's pipe.
func (c *Containerd) Address() string { return address(c.name) }

func address(name string) string { return `\\.\pipe\containerd-` + name }

// LogPath is the Unix path of the daemon's log. The log includes those of its shims and continues after a restart.
func (c *Containerd) LogPath() string { return c.wine.path("run", c.name, "containerd.log") }

// StateDir is the Unix path of the state directory, which has the bundles of the tasks.
func (c *Containerd) StateDir() string { return filepath.Join(c.dir(), "state") }

func (c *Containerd) dir() string { return c.wine.UnixPath(c.home) }

// The default directories of containerd on a Windows node.
const (
	// InstallDir holds containerd.exe and config.toml.
	InstallDir = `C:\Program Files\containerd`
	// DataDir holds its root and its state.
	DataDir = `C:\ProgramData\containerd`
)

// installedName is the name of the default pipe.
const installedName = "containerd"

// Installed starts the containerd.exe of [InstallDir] without a flag, so that it finds its configuration itself. Files of an
// earlier daemon in [DataDir] are removed first. [Containerd.Crictl] works if the configuration has CRI.
func (e *Env) Installed(ctx context.Context, env ...string) (*Containerd, error) {
	return e.launch(ctx, &Containerd{
		name: installedName, home: DataDir, daemon: InstallDir + `\containerd.exe`, env: env,
		files: map[string]string{"crictl.yaml": fmt.Sprintf(crictlConfig, installedName)},
	})
}

// Service prepares a home for the containerd.exe of [InstallDir] that the caller makes a service. The processes of its node
// are those of the prefix whose executable has one of the paths, which may be the beginnings of paths.
func (e *Env) Service(paths ...string) (*Containerd, error) {
	c := &Containerd{name: installedName, home: DataDir, files: map[string]string{"crictl.yaml": fmt.Sprintf(crictlConfig, installedName)}}
	if err := e.own(c, e.groupOf(paths)); err != nil {
		return nil, fmt.Errorf("prepare the service of containerd: %w", err)
	}
	return c, nil
}
