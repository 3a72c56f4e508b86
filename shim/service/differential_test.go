package service_test

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

// Answers that the walk's model does not know.
const (
	invalid = "invalid argument"
	plain   = "unknown" // an error without a class, as runc's shim has many
)

// verdict is the answer to a request in a word.
func (w *walker) verdict(t *testing.T, op string, exec string) string {
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
		err = w.ask(t, step{op: "exec", task: "a", exec: "a"})
	case "wait":
		err = w.await(t, exec)
	default:
		err = w.ask(t, s)
	}
	switch native := errgrpc.ToNative(err); {
	case errdefs.IsInvalidArgument(native):
		return invalid
	case class(err) == fine:
		return "done"
	}
	return class(err)
}

// await asks for the end of a process and brings it about if it must.
func (w *walker) await(t *testing.T, exec string) error {
	answer := make(chan error, 1)
	go func() { answer <- w.ask(t, step{op: "wait", task: "a", exec: exec}) }()
	_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "a", ExecID: exec, Signal: 9}) // it may be over
	return <-answer
}

// lead takes a new task "a" and its exec "ax" into a state.
func (w *walker) lead(t *testing.T, state string) (exec string) {
	t.Helper()
	for _, s := range ways[state] {
		s.task = "a"
		if err := w.ask(t, s); err != nil {
			t.Fatalf("%s: %s: %v", state, s, err)
		}
		exec = max(exec, s.exec)
	}
	if state == "running, no exec" {
		return "ax"
	}
	return exec
}

// difference asks one situation of the table and returns its row of the document.
func difference(t *testing.T, s situation) string {
	w := newWalker(t)
	exec := w.lead(t, s.state)
	got := w.verdict(t, s.op, exec)
	if trouble := w.walk(t, nil); trouble != "" {
		t.Errorf("%s, %s: %s", s.state, s.op, trouble)
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

// TestDifferential asks every situation of the table. Where the answer is another than runc's there must be a reason, and
// where there is a reason the answer must differ. docs/differential.md shows it; -update writes it.
func TestDifferential(t *testing.T) {
	quiet(t)
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
		t.Errorf("the page is out of date (-page +now); run with -update:\n%s", diff)
	}
}
