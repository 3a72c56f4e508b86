package hcs_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

func testExitCode(t *testing.T, e environment) {
	s := e.start(t)
	for _, want := range []uint32{0, 3, 259, 0xC000013A} {
		p := e.run(t, s, "exit", strconv.FormatUint(uint64(want), 10))
		if code := exit(t, p); code != want {
			t.Errorf("exit code %#x, want %#x", code, want)
		}
		status, err := p.Status(t.Context())
		if err != nil || !status.Exited || status.ExitCode != want || status.ProcessId != p.Pid() {
			t.Errorf("status %+v, %v", status, err)
		}
	}
}

func testArguments(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "args", "one", `"two three"`, `""`)
	if out := output(t, p); out != "\"one\"\n\"two three\"\n\"\"\n" {
		t.Errorf("arguments %s", out)
	}
}

func testEnvironment(t *testing.T, e environment) {
	parameters := e.parameters("env", "SILO_TEST")
	parameters.Environment["SILO_TEST"] = "a=b c"
	p := spawn(t, e.start(t), parameters)
	if out := output(t, p); out != "a=b c" {
		t.Errorf("environment %q", out)
	}
}

func testStreams(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "cat")
	if _, err := io.WriteString(p.Stdin(), "hello"); err != nil {
		t.Fatal(err)
	}
	if err := p.CloseStdin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := output(t, p); out != "hello" {
		t.Errorf("stdout %q", out)
	}
	if out, err := io.ReadAll(p.Stderr()); string(out) != "5" || err != nil {
		t.Errorf("stderr %q, %v", out, err)
	}
	if code := exit(t, p); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if err := p.CloseStdin(t.Context()); err != nil {
		t.Errorf("close stdin again: %v", err)
	}
}

// testMuchOutput: what was written before the exit can be read after it.
func testMuchOutput(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "cat")
	want := strings.Repeat("0123456789abcdef", 1<<12)
	var in sync.WaitGroup
	in.Go(func() {
		if _, err := io.WriteString(p.Stdin(), want); err != nil {
			t.Error(err)
		}
		if err := p.CloseStdin(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if out := output(t, p); out != want {
		t.Errorf("%d bytes came out of %d", len(out), len(want))
	}
	in.Wait()
}

func testNoStreams(t *testing.T, e environment) {
	parameters := e.parameters("cat")
	parameters.CreateStdInPipe, parameters.CreateStdOutPipe, parameters.CreateStdErrPipe = false, false, false
	p := spawn(t, e.start(t), parameters)
	if p.Stdin() != nil || p.Stdout() != nil || p.Stderr() != nil {
		t.Error("there are streams that were not requested")
	}
	if err := p.CloseStdin(t.Context()); err != nil {
		t.Error(err)
	}
	exit(t, p)
}

func testNoProgram(t *testing.T, e environment) {
	s := e.start(t)
	parameters := e.parameters()
	parameters.CommandLine = `C:\no-such-program.exe --password hunter2`
	parameters.Environment["TOKEN"] = "hunter3"
	_, err := s.CreateProcess(t.Context(), parameters)
	wantError(t, "create process", err, hcs.ErrNotFound)
	if err != nil && strings.Contains(err.Error(), "hunter") {
		t.Errorf("the error tells secrets: %v", err)
	}
}

func testKill(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "wait")
	here(t, p)
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := exit(t, p); code == 7 {
		t.Error("the process ended by itself")
	}
	wantError(t, "kill after the exit", p.Kill(t.Context()), hcs.ErrExited)
}

func testKillTwice(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "wait")
	here(t, p)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := p.Kill(t.Context()); err != nil && !errors.Is(err, hcs.ErrExited) {
				t.Error(err)
			}
		})
	}
	both.Wait()
	exit(t, p)
}

// testKillDying: a process that ends by itself may be killed at any moment of its end, and has its own exit code.
func testKillDying(t *testing.T, e environment) {
	noticed := make(chan struct{})
	if e.simulated != nil { // which holds the process in its end
		e.simulated.Fault("ProcessExited", hcstest.Fault{Late: true, Hang: noticed})
	}
	p := e.run(t, e.start(t), "wait")
	here(t, p)
	if err := p.CloseStdin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(p.Stdout()); err != nil { // the output ends with the process
		t.Error(err)
	}
	wantError(t, "kill", p.Kill(t.Context()), hcs.ErrExited)
	close(noticed)
	if code := exit(t, p); code != 7 {
		t.Errorf("exit code %d", code)
	}
}

func testSignal(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "event")
	here(t, p)
	if err := p.Signal(t.Context(), schema.CtrlBreak); err != nil {
		t.Fatal(err)
	}
	if code := exit(t, p); code != 40 {
		t.Errorf("exit code %d", code)
	}
}

func testSignalDead(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "exit", "0")
	exit(t, p)
	err := p.Signal(t.Context(), schema.CtrlC)
	wantError(t, "signal", err, hcs.ErrExited)
	wantError(t, "signal", err, hcs.ErrNotFound)
}

func testOpenProcess(t *testing.T, e environment) {
	s := e.start(t)
	p := e.run(t, s, "wait")
	here(t, p)
	again, err := s.OpenProcess(t.Context(), p.Pid())
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, again)
	if again.Pid() != p.Pid() || again.Stdout() != nil {
		t.Errorf("pid %d, stdout %v", again.Pid(), again.Stdout())
	}
	if err := p.CloseStdin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*hcs.Process{p, again} {
		if code := exit(t, p); code != 7 {
			t.Errorf("exit code %d", code)
		}
	}
}

func testOpenNoProcess(t *testing.T, e environment) {
	s := e.start(t)
	_, err := s.OpenProcess(t.Context(), 4_000_000_000)
	wantError(t, "open process", err, hcs.ErrNotFound)
}

func testProcessWaitEnds(t *testing.T, e environment) {
	p := e.run(t, e.start(t), "wait")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Wait(ctx)
	wantError(t, "wait with its context ended", err, context.Canceled)
	waited := make(chan error)
	go func() {
		_, err := p.Wait(context.Background())
		waited <- err
	}()
	closeIt(t, p)
	wantError(t, "wait of a closed process", <-waited, hcs.ErrClosed)
}

func testTakesAlong(t *testing.T, e environment) {
	s := e.start(t)
	p := e.run(t, s, "wait")
	here(t, p)
	if err := s.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantExit(t, s, schema.ExitForced)
	exit(t, p)
	if _, err := io.ReadAll(p.Stdout()); err != nil {
		t.Errorf("the output has no end: %v", err)
	}
}

func testConsole(t *testing.T, e environment) {
	parameters := e.parameters("event") // Wine's pseudo consoles have no input to wait for
	parameters.EmulateConsole, parameters.CreateStdErrPipe = true, false
	parameters.ConsoleSize = []uint16{25, 80}
	p := spawn(t, e.start(t), parameters)
	if p.Stderr() != nil {
		t.Error("a console has a stderr")
	}
	if err := p.Resize(t.Context(), 120, 40); err != nil {
		t.Error(err)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	exit(t, p)
	err := p.Resize(t.Context(), 80, 25)
	wantError(t, "resize after the exit", err, hcs.ErrNotFound)
}

// testManyAtOnce closes a system and its processes while others use them.
func testManyAtOnce(t *testing.T, e environment) {
	s := e.start(t)
	p := e.run(t, s, "wait")
	here(t, p)
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for range 20 {
				_, err := s.Properties(t.Context(), schema.PropertyStatistics)
				tolerate(t, err, hcs.ErrClosed)
				_, err = p.Status(t.Context())
				tolerate(t, err, hcs.ErrClosed)
				tolerate(t, p.Kill(t.Context()), hcs.ErrClosed, hcs.ErrExited, hcs.ErrNotFound)
			}
		})
		users.Go(func() {
			_, err := p.Wait(t.Context())
			tolerate(t, err, hcs.ErrClosed)
			closeIt(t, p)
			closeIt(t, s)
		})
	}
	users.Wait()
}

func tolerate(t *testing.T, err error, allowed ...error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, a := range allowed {
		if errors.Is(err, a) {
			return
		}
	}
	t.Error(err)
}

// output returns what p writes to stdout until its end.
func output(t *testing.T, p *hcs.Process) string {
	t.Helper()
	out, err := io.ReadAll(p.Stdout())
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
