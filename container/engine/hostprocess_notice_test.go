package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

func TestHostProcess_Violations_UnknownBeforeFirstMessage(t *testing.T) {
	k := jobtest.New()
	grow, grown := make(chan struct{}), make(chan struct{})
	k.Program("grow.exe", func(p *jobtest.Proc) uint32 {
		close(grown)
		<-grow
		if p.Commit(64 << 20) {
			return 1
		}
		<-p.Done()
		return 0
	})
	j := newJob(t, k)
	if v := j.Status().Violations; v != nil {
		t.Errorf("violations = %v before Watch, want unknown", v)
	}
	notices := make(chan container.Notice, 1)
	j.Watch(func(n container.Notice) {
		if n.Limit != container.NoLimit {
			notices <- n
		}
	})
	if v := j.Status().Violations; v != nil {
		t.Errorf("violations = %v before the first message, want unknown", v)
	}
	relay, err := stdio.Open(t.Context(), stdio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := j.Process(&plan.Process{CommandLine: "grow.exe"}, relay)
	if _, err := p.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-grown
	close(grow)
	if n := <-notices; n.Limit != container.MemoryLimit || n.Kind != jobobject.JobMemoryLimit {
		t.Errorf("notice = %+v", n)
	}
	want := map[string]uint64{"memory": 1, "processes": 0, "time": 0, "other": 0}
	if diff := cmp.Diff(want, j.Status().Violations); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
	if err := errors.Join(j.Terminate(t.Context(), container.Killed), p.Close(), relay.Close()); err != nil {
		t.Error(err)
	}
}
