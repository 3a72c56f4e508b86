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

// TestDocument holds docs/states.md to the table. After a change of the table: go test ./shim/task -update
func TestDocument(t *testing.T) {
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
		t.Errorf("docs/states.md (-table +file); write it with -update:\n%s", diff)
	}
}

const preface = `# States of a process

Generated from the table in ` + "`shim/task/state.go`" + `; write it anew with ` + "`go test ./shim/task -update`" + `.

Init and the execs go through the same states. To a client *starting* is CREATED, and *deleted* is gone. An exec that
runs in a paused task is PAUSED.
Launched, failed and exited are the process's own doing; a dash marks what cannot happen. Where an operation is
refused, the class of containerd's error stands in the place of the next state.

* **exec** and **update** are asked of init for its whole task, and so are **pause** and **resume**. An exec is started
  only while init could take another one.
* **kill** of a created process stops it without a start; of a starting one it waits for the launch. A program that has
  ended while its output is still being delivered is running to a client, and a kill of it succeeds without effect.
* **wait** answers in every state, once there is an end to tell; so do **state**, **stats** and **pids**, at once.

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
