package sim_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/google/go-cmp/cmp"
)

// Answers that the walk's model does not have.
const (
	invalid = "invalid argument"
	plain   = "unknown" // an error without a class, as runc's shim has many
)

// answerTo makes a request of "a" or its exec and returns the answer in a word.
func (w *walker) answerTo(t *testing.T, op string, exec string) string {
	if op == "exec" {
		exec = "ax"
	}
	s := step{op: op, task: "a", exec: exec}
	var err error
	switch op {
	case "state":
		r, err := w.State(t.Context(), &api.StateRequest{ID: "a", ExecID: exec})
		if err == nil {
			return strings.ToLower(r.Status.String())
		}
		return class(err)
	case "kill all of an exec":
		_, err = w.Kill(t.Context(), &api.KillRequest{ID: "a", ExecID: exec, Signal: 9, All: true})
	case "kill with signal 12":
		_, err = w.Kill(t.Context(), &api.KillRequest{ID: "a", ExecID: exec, Signal: 12})
	case "exec with the task's id":
		err = w.request(t, step{op: "exec", task: "a", exec: "a"})
	case "wait":
		err = w.await(t, exec)
	default:
		err = w.request(t, s)
	}
	switch native := errgrpc.ToNative(err); {
	case errdefs.IsInvalidArgument(native):
		return invalid
	case class(err) == fine:
		return "done"
	}
	return class(err)
}

// await waits for a process and kills it.
func (w *walker) await(t *testing.T, exec string) error {
	answer := make(chan error, 1)
	go func() { answer <- w.request(t, step{op: "wait", task: "a", exec: exec}) }()
	_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "a", ExecID: exec, Signal: 9}) // it may have ended
	return <-answer
}

// enter brings a new task "a" and its exec "ax" into a state.
func (w *walker) enter(t *testing.T, state string) (exec string) {
	t.Helper()
	for _, s := range setups[state] {
		s.task = "a"
		if err := w.request(t, s); err != nil {
			t.Fatalf("%s: %s: %v", state, s, err)
		}
		exec = max(exec, s.exec)
	}
	if state == "running, no exec" {
		return "ax"
	}
	return exec
}

// difference makes the request of one situation and returns its row of the document.
func difference(t *testing.T, s situation) string {
	w := newWalker(t)
	exec := w.enter(t, s.state)
	got := w.answerTo(t, s.op, exec)
	if failure := w.walk(t, nil); failure != "" {
		t.Errorf("%s, %s: %s", s.state, s.op, failure)
	}
	if (got != s.runc) != (s.why != "") {
		t.Errorf("%s, %s: runc's shim answers %q, ours %q, and the reason is %q", s.state, s.op, s.runc, got, s.why)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", s.state, s.op, s.runc, got, s.why)
}

const differentialHead = `# Comparison with containerd's runc shim

This page compares the answer of this shim in each situation with that of containerd's shim for runc. A test queries this
shim and writes the page; runc's answers are read from the source of containerd v2.4.2 in ` + "`cmd/containerd-shim-runc-v2`" + `:
` + "`process/init_state.go`, `process/exec_state.go`, `process/exec.go`, `process/init.go`, `runc/container.go`" + ` and
` + "`task/service.go`" + `. "unknown" is an error without a class: a client gets only its text.

| state | request | runc | siloshim | why they differ |
|---|---|---|---|---|
`

// TestDifferential_Committed_AsRuncOrWithAReason makes the request of every situation. If the answer differs from that of
// runc there must be a reason, and if there is a reason the answer must differ. -update writes docs/differential.md.
func TestDifferential_Committed_AsRuncOrWithAReason(t *testing.T) {
	silenceLog(t)
	var page strings.Builder
	page.WriteString(differentialHead)
	for _, s := range situations {
		page.WriteString(difference(t, s))
	}
	fmt.Fprintf(&page, "\n%d situations.\n", len(situations))
	path := filepath.Join("..", "..", "docs", "differential.md")
	if *update {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(text), "\r\n", "\n"), page.String()); diff != "" {
		t.Errorf("docs/differential.md is out of date (-page +now); make generate writes it:\n%s", diff)
	}
}
