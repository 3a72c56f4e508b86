package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// silo is the built program with a separate state directory.
type silo struct {
	wine  *testenv.Env
	exe   string // a Unix path
	damon string // a copy called damon.exe
	state string
}

// built is the directory with the executables, which all tests share.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "silo-cli")
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func newSilo(t *testing.T) *silo {
	t.Helper()
	s := &silo{wine: testenv.Require(t), exe: filepath.Join(built, "silo.exe"), damon: filepath.Join(built, "damon.exe"), state: t.TempDir()}
	if _, err := os.Stat(s.exe); err == nil {
		return s
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "no_grpc", "-trimpath", "-ldflags", "-s -w", "-o", s.exe, "./cmd/silo")
	cmd.Dir = s.wine.Root()
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build silo.exe: %v\n%s", err, out)
	}
	if err := os.Link(s.exe, s.damon); err != nil {
		t.Fatal(err)
	}
	return s
}

// result is the output and the exit code of a command.
type result struct {
	stdout, stderr string
	code           int
}

// command prepares silo with additional environment variables.
func (s *silo) command(t *testing.T, exe string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := s.wine.Command(t.Context(), exe, args...)
	cmd.Env = append(append(cmd.Env, "SILO_STATE="+s.wine.WindowsPath(s.state)), env...)
	return cmd
}

func (s *silo) try(t *testing.T, exe string, env []string, args ...string) result {
	t.Helper()
	cmd := s.command(t, exe, env, args...)
	// Files, not pipes: a process that Wine starts beside a detached program would keep a pipe open.
	stdout, stderr := scratch(t), scratch(t)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("silo %s: %v", strings.Join(args, " "), err)
	}
	return result{content(t, stdout), content(t, stderr), cmd.ProcessState.ExitCode()}
}

func scratch(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// content reads a scratch file from its beginning and closes it.
func content(t *testing.T, f *os.File) string {
	t.Helper()
	text, err := os.ReadFile(f.Name())
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run runs silo and fails the test unless it succeeds.
func (s *silo) run(t *testing.T, args ...string) string {
	t.Helper()
	r := s.try(t, s.exe, nil, args...)
	if r.code != 0 {
		t.Fatalf("silo %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// detach starts the payload as a named container and stops it with the test.
func (s *silo) detach(t *testing.T, name string, args ...string) {
	t.Helper()
	s.start(t, name, append([]string{"run", "--detach", "--name", name, "--stop-grace", "1s", "--", workload.Payload}, args...)...)
}

// start runs silo run --detach for a container called name, and stops it with the test.
func (s *silo) start(t *testing.T, name string, args ...string) {
	t.Helper()
	t.Cleanup(func() { // t.Context() is done by now
		for _, verb := range []string{"kill", "wait"} { // its supervisor writes the exit into the test's directory
			cmd := s.wine.Command(context.Background(), s.exe, verb, name)
			cmd.Env = append(cmd.Env, "SILO_STATE="+s.wine.WindowsPath(s.state))
			_ = cmd.Run() // most tests have ended it
		}
	})
	r := s.try(t, s.exe, nil, args...)
	if r.code == 0 {
		return
	}
	// Wine's server kills a program whose exit takes long, and its output is lost.
	if _, there := s.inspect(t, name); r.code != 1 || r.stderr != "" || !there {
		t.Fatalf("silo run --detach: %+v", r)
	}
}

// ended is how a program has ended.
type ended struct {
	Code   uint32
	Reason string
}

// inspected is the part of silo inspect that the tests check.
type inspected struct {
	Record struct {
		Supervisor uint32 `json:"supervisor_pid"`
		Pid        uint32
		Restarts   int
		Status     string
		LastExit   *ended `json:"last_exit"`
		Exit       *ended // nil while it runs
	}
	Statistics struct {
		Memory struct {
			Private uint64 `json:"private_working_set_bytes"`
			Commit  uint64 `json:"commit_bytes"`
		}
		Processes struct{ Active int }
	}
	Limits    []struct{ Limit, Value string }
	Processes []struct{ Pid uint32 }
}

// inspect queries a container; false if there is none.
func (s *silo) inspect(t *testing.T, name string) (inspected, bool) {
	t.Helper()
	r := s.try(t, s.exe, nil, "inspect", name)
	if r.code != 0 {
		return inspected{}, false
	}
	var list []inspected
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || len(list) != 1 {
		t.Fatalf("inspect %s: %v\n%s", name, err, r.stdout)
	}
	return list[0], true
}

// until polls a condition. The deadline of the test ends it.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for !ok() {
		select {
		case <-t.Context().Done():
			t.Fatalf("the test ended before %s", what)
		case <-pause.C:
		}
	}
}
