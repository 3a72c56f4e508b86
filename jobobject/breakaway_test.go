package jobobject_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

// TestStart_CallerInAJob: who is started is in its own job, and in that of the caller only where it must be.
func TestStart_CallerInAJob(t *testing.T) {
	for _, tt := range []struct {
		name   string
		outer  jobobject.Breakaway
		ask    bool
		nested bool
	}{
		{"not allowed", jobobject.BreakawayNever, true, true},
		{"allowed", jobobject.BreakawayOnRequest, true, false},
		{"allowed and not asked for", jobobject.BreakawayOnRequest, false, true},
		{"always", jobobject.BreakawayAlways, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, outer := newKernel(t, jobobject.Options{Name: "outer", KillOnClose: true})
			if err := outer.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, Breakaway: tt.outer}); err != nil {
				t.Fatal(err)
			}
			if !k.Enclose("outer") {
				t.Fatal("there is no job to be in")
			}
			inner, err := jobobject.Create(jobobject.Options{KillOnClose: true, Kernel: k})
			if err != nil {
				t.Fatal(err)
			}
			p, err := inner.Start(jobobject.ProcessOptions{Application: `C:\last.exe`, BreakAway: tt.ask})
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range []struct {
				job  *jobobject.Job
				want bool
			}{{inner, true}, {outer, tt.nested}} {
				pids, err := in.job.Pids()
				if err != nil || slices.Contains(pids, p.Pid()) != in.want {
					t.Errorf("members of %q are %v, %v; process %d among them: want %v", in.job.Name(), pids, err, p.Pid(), in.want)
				}
			}
			if err := errors.Join(p.Close(), inner.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}
