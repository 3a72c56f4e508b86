package task

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/states.md from the table")

const document = "../../docs/states.md"

func TestStatesDocument_Committed_IsTheTable(t *testing.T) {
	want := describe()
	if *update {
		if err := os.WriteFile(document, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/states.md (-table +file); make generate writes it:\n%s", diff)
	}
}

const preface = `# States of a process

Generated from the table in ` + "`shim/task/state.go`" + `; ` + "`make generate`" + ` writes it.

Init and the execs have the same states. A client sees *starting* as CREATED; *deleted* does not exist to it. An exec that
runs in a paused task is PAUSED. Launched, failed and exited are events of the process; a dash marks the impossible. A
refused operation shows the class of containerd's error instead of the next state.

* **exec**, **update**, **pause** and **resume** are checked against the state of init. An exec starts only while init would
  accept another exec.
* **kill** of a created process stops it without a start; **kill** of a starting process waits for the launch. A program that
  has ended counts as running until its output is delivered; a kill of it then succeeds without effect.
* **wait** answers in every state, once the process has ended. **state**, **stats** and **pids** answer in every state at once.

`

func describe() []byte {
	var b bytes.Buffer
	b.WriteString(preface + "| |")
	for s := range states {
		fmt.Fprintf(&b, " %s |", s)
	}
	b.WriteString("\n|---|")
	for range states {
		b.WriteString("---|")
	}
	for op := range ops {
		fmt.Fprintf(&b, "\n| **%s** |", op)
		for s := range states {
			fmt.Fprintf(&b, " %s |", cell(table[s][op]))
		}
	}
	b.WriteString("\n")
	return b.Bytes()
}

func cell(r rule) string {
	switch {
	case r.refuse == nil:
		return r.to.String()
	case errors.Is(r.refuse, errImpossible):
		return "–"
	case errdefs.IsNotFound(r.refuse):
		return "*not found*"
	}
	return "*failed precondition*"
}
