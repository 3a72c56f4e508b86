package jobtest

import (
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

// A process that starts others without end leaves none behind when its job is terminated: one that is being ended starts nothing.
func TestTerminateJob_MemberStartsOthers_NoneRemains(t *testing.T) {
	for range 200 {
		k := New()
		started := make(chan struct{})
		k.Program("fork.exe", func(p *Proc) uint32 {
			close(started)
			for {
				if _, err := p.Spawn("idle.exe"); err != nil {
					return 0
				}
			}
		})
		k.Program("idle.exe", func(p *Proc) uint32 { <-p.Done(); return 0 })
		job, err := jobobject.Create(jobobject.Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		p, err := job.Start(jobobject.ProcessOptions{Application: "fork.exe", CommandLine: "fork.exe"})
		if err != nil {
			t.Fatal(err)
		}
		<-started
		if err := job.Terminate(1); err != nil {
			t.Fatal(err)
		}
		k.Wait()
		if pids, err := job.Pids(); err != nil || len(pids) > 0 {
			t.Fatalf("the job has the processes %v, %v", pids, err)
		}
		_, _ = p.Close(), job.Close() // nothing can go wrong in memory
	}
}
