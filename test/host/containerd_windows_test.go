package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/workload"
)

const (
	bin     = `C:\silo\bin\` // where the executables are
	runtime = "io.containerd.silo.v1"
	// limit bounds a test.
	limit = 10 * time.Minute
)

// serial makes ids unique.
var serial atomic.Int64

func newID() string { return fmt.Sprintf("host%d-%d", os.Getpid(), serial.Add(1)) }

// containerd is a containerd.exe with a separate root, state and pipe.
type containerd struct {
	dir, address string
	cmd          *exec.Cmd
}

// config has neither CRI nor a directory outside of the test's.
const config = `version = 3
root = '%[1]s\root'
state = '%[1]s\state'
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images"]
[grpc]
  address = '%[2]s'
[debug]
  level = "debug"
`

func newContainerd(t *testing.T) (*containerd, context.Context) {
	t.Helper()
	for _, exe := range []string{"containerd.exe", "ctr.exe", "containerd-shim-silo-v1.exe", "payload.exe"} {
		if _, err := os.Stat(bin + exe); err != nil {
			t.Skipf("%v; run go run ./test/wine host %s", err, bin)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	c := &containerd{dir: t.TempDir(), address: `\\.\pipe\containerd-` + newID()}
	if err := os.WriteFile(filepath.Join(c.dir, "config.toml"), fmt.Appendf(nil, config, c.dir, c.address), 0o644); err != nil {
		t.Fatal(err)
	}
	c.start(ctx, t)
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			log, err := os.ReadFile(filepath.Join(c.dir, "containerd.log"))
			t.Logf("end of containerd's log (%v):\n%s", err, log[max(0, len(log)-64<<10):])
		}
	})
	return c, ctx
}

// start starts the daemon and waits until it answers.
func (c *containerd) start(ctx context.Context, t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(c.dir, "containerd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c.cmd = exec.Command(bin+"containerd.exe", "--config", filepath.Join(c.dir, "config.toml")) //nolint:noctx // kill ends it
	c.cmd.Stdout, c.cmd.Stderr = log, log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "containerd serves", func() bool { return c.ctr(ctx, "--connect-timeout", "2s", "version").code == 0 })
}

// kill ends the daemon as a crash does.
func (c *containerd) kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.cmd.Wait()         // its exit code is that of the kill
}

// result is the output of ctr with its exit code.
type result struct {
	stdout, stderr string
	code           int
}

func (c *containerd) ctr(ctx context.Context, args ...string) result {
	cmd := exec.CommandContext(ctx, bin+"ctr.exe", append([]string{"--address", c.address}, args...)...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		r.stderr, r.code = err.Error(), -1
	}
	return r
}

// must runs ctr, which must succeed.
func (c *containerd) must(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	r := c.ctr(ctx, args...)
	if r.code != 0 {
		t.Fatalf("ctr %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// run are the arguments of ctr run for a specification.
func (c *containerd) run(t *testing.T, s *specs.Spec, id string, flags ...string) []string {
	t.Helper()
	path := filepath.Join(c.dir, id+".json")
	if err := workload.Write(path, s); err != nil {
		t.Fatal(err)
	}
	return append(append([]string{"run", "--runtime", runtime, "--config", path}, flags...), id)
}

// status is that of a task, with its pid; empty without one.
func (c *containerd) status(ctx context.Context, t *testing.T, id string) (status, pid string) {
	t.Helper()
	for line := range strings.Lines(c.must(ctx, t, "task", "ls")) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == id {
			return fields[2], fields[1]
		}
	}
	return "", ""
}

// remove ends and deletes a container.
func (c *containerd) remove(ctx context.Context, t *testing.T, id string) {
	t.Helper()
	c.must(ctx, t, "task", "delete", "--force", id)
	c.must(ctx, t, "container", "delete", id)
}

// until polls what has no event, until the context ends.
func until(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waiting until %s: %v", what, context.Cause(ctx))
		case <-again.C:
		}
	}
}
