package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// payload builds the payload into the test environment and returns its Windows path.
func payload(t *testing.T) string {
	t.Helper()
	wine := testenv.Require(t)
	if err := testenv.Build(t.Context(), io.Discard, "payload"); err != nil {
		t.Fatal(err)
	}
	return wine.Exe("payload")
}

func TestVerbs_ProgramExits_CodeIsReturned(t *testing.T) {
	exe := payload(t)
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{"run", exe, "exit", "0"}, 0},
		{[]string{"run", exe, "exit", "7"}, 7},
		{[]string{"run", "-t", "10m", exe, "exit", "137"}, 137},
		{[]string{"with", "--", "true"}, 0},
		{[]string{"with", "false"}, 1},
		{[]string{"start"}, 0},
	} {
		err := dispatch(t.Context(), test.args)
		got := 0
		if err != nil {
			var code exited
			if !errors.As(err, &code) {
				t.Errorf("wine %s: %v", strings.Join(test.args, " "), err)
				continue
			}
			got = exitCode(code)
		}
		if got != test.want {
			t.Errorf("wine %s ended with %d, want %d", strings.Join(test.args, " "), got, test.want)
		}
	}
}

func TestRun_LimitReached_Ends(t *testing.T) {
	err := dispatch(t.Context(), []string{"run", "-t", "100ms", payload(t), "sleep", "3600"})
	if err == nil || !strings.Contains(err.Error(), "ran longer than 100ms") {
		t.Errorf("run ended with %v", err)
	}
}

// Only the program has its output open when the command has ended, so the end of the output is the end of the program.
func TestRun_SignalOfGoTest_EndsItsProgram(t *testing.T) {
	program := payload(t)
	exe := filepath.Join(t.TempDir(), "wine")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	cmd := exec.CommandContext(t.Context(), exe, "run", program, "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatalf("the program did not run: %v", err)
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(out); err != nil || len(rest) != 0 {
		t.Errorf("the program wrote %q, then %v", rest, err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("run ended with %v, want 1", cmd.ProcessState)
	}
}

func TestDispatch_WrongUsage_Refused(t *testing.T) {
	for _, args := range [][]string{nil, {"dance"}, {"run"}, {"run", "-t"}, {"with"}, {"with", "--"}} {
		if err := dispatch(t.Context(), args); !errors.Is(err, errUsage) {
			t.Errorf("wine %s: %v, want wrong usage", fmt.Sprint(args), err)
		}
	}
}
