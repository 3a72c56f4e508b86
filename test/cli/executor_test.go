package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// executed is a task as Nomad's executor runs it: silo in a new process group and in the executor's job, which has
// kill-on-close. The payload is the executor.
type executed struct {
	*silo
	stdin  io.WriteCloser
	lines  *bufio.Scanner
	stderr *os.File
	pid    string // of the executor
	wait   func() error
	group  *testenv.Group
	file   string // of the program: ready, then done if it exits in order
}

// execute starts a task of silo with a program of the payload that writes a file, and waits until it is ready.
func execute(t *testing.T, killTimeout string, program, verb []string) *executed {
	t.Helper()
	e := &executed{silo: newSilo(t), group: testenv.NewGroup(), file: filepath.Join(t.TempDir(), "state")}
	args := append([]string{"executor", killTimeout, e.wine.WindowsPath(e.exe)}, verb...)
	args = append(append(args, workload.Payload, program[0], e.wine.WindowsPath(e.file)), program[1:]...)
	env := []string{"NOMAD_TASK_NAME=web", "NOMAD_MEMORY_LIMIT=256", "NOMAD_MEMORY_MAX_LIMIT=-1", "NOMAD_TOKEN=a-secret", "DAMON_LOG_DIR=" + e.wine.WindowsPath(e.state)}
	cmd := e.command(t, workload.Payload, env, args...)
	e.group.Add(cmd)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if e.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	e.stderr = scratch(t)
	cmd.Stderr = e.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.group.Kill(); err != nil {
			t.Error(err)
		}
	})
	e.lines, e.wait = bufio.NewScanner(stdout), cmd.Wait
	e.pid = e.line(t)
	until(t, "the program is ready", func() bool { return e.written(t) == "ready" })
	return e
}

func (e *executed) line(t *testing.T) string {
	t.Helper()
	if !e.lines.Scan() {
		text, _ := os.ReadFile(e.stderr.Name())
		t.Fatalf("the executor has ended: %v\n%s", e.lines.Err(), text)
	}
	return strings.TrimSpace(e.lines.Text())
}

func (e *executed) written(t *testing.T) string { return parting{file: e.file}.written(t) }

// silent fails if a file of silo has the token of the task: its log, and while the program runs its record.
func (e *executed) silent(t *testing.T) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(e.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "a-secret") {
			t.Errorf("%s has the value of NOMAD_TOKEN", path)
		}
		files++
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files in the state of silo: %v", files, err)
	}
}

// left waits until only so many processes of the task run.
func (e *executed) left(t *testing.T, want int) {
	t.Helper()
	until(t, fmt.Sprintf("%d processes are left", want), func() bool {
		list, err := e.group.Processes()
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == want
	})
}

// stop asks the executor to stop the task, and returns how it has ended.
func (e *executed) stop(t *testing.T) string {
	t.Helper()
	if _, err := io.WriteString(e.stdin, "stop\n"); err != nil {
		t.Fatal(err)
	}
	return e.line(t)
}

// dismiss ends the executor, which has nothing to run any more.
func (e *executed) dismiss(t *testing.T) {
	t.Helper()
	if err := errors.Join(e.stdin.Close(), e.wait()); err != nil {
		t.Error(err)
	}
	e.left(t, 0)
}

// verbs are the ways in which a task can run a program.
func verbs() map[string][]string {
	return map[string][]string{
		"supervise": {"supervise"},
		"run":       {"run", "--name", fmt.Sprintf("cli-executor-%d", os.Getpid()), "--"},
	}
}

func TestExecutor_Stop_ProgramExitsInOrder(t *testing.T) {
	for name, verb := range verbs() {
		t.Run(name, func(t *testing.T) {
			e := execute(t, "10m", []string{"parting", "child"}, verb)
			e.silent(t)
			if how := e.stop(t); how == "killed" {
				t.Error("silo has not ended before kill_timeout")
			}
			if text := e.written(t); text != "done" {
				t.Errorf("the program's file has %q, want done", text)
			}
			e.left(t, 1) // the executor
			e.dismiss(t)
		})
	}
}

// The program ignores Ctrl+Break, and silo waits 30 s for it. Nomad's kill comes before, and ends the program with silo.
func TestExecutor_KillTimeout_NothingRemains(t *testing.T) {
	for name, verb := range verbs() {
		t.Run(name, func(t *testing.T) {
			e := execute(t, "1s", []string{"deaf"}, verb)
			if how := e.stop(t); how != "killed" {
				t.Errorf("silo has ended with %s, want it to wait for the program", how)
			}
			e.left(t, 1) // the executor: its job does not end the program
			e.dismiss(t)
		})
	}
}

func TestExecutor_Killed_NothingRemains(t *testing.T) {
	for name, verb := range verbs() {
		t.Run(name, func(t *testing.T) {
			e := execute(t, "10m", []string{"deaf"}, verb)
			if r := e.try(t, workload.Payload, nil, "kill", e.pid); r.code != 0 {
				t.Fatalf("%+v", r)
			}
			_ = e.wait() // it was killed
			e.left(t, 0)
		})
	}
}
