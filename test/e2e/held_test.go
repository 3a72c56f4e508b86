package e2e

import (
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// TestGrandchildThatHoldsStdout: a program ends and leaves another behind that keeps its output open. With init that one
// ends too; that of an exec lives on with the task, and does not hold up the exec's end.
func TestGrandchildThatHoldsStdout(t *testing.T) {
	d := newDaemon(t)
	d.ctr(t, d.runArgs(t, workload.Spec("holdout", "600"), newID(), "--rm")...)
	d.nothingLeft(t)

	id := d.detach(t, workload.Spec("sleep", "600"))
	d.ctr(t, "task", "exec", "--exec-id", newID(), id, workload.Payload, "holdout", "600")
	if ps := d.ctr(t, "task", "ps", id); strings.Count(ps, "payload.exe") != 2 {
		t.Errorf("init and what the exec left behind are to live:\n%s", ps)
	}
	d.remove(t, id)
	d.nothingLeft(t)
}
