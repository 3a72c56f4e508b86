package selftest

import (
	"context"
	"errors"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// Host is what is tried. All fields are needed.
type Host struct {
	Kernel  jobobject.Kernel
	Service *hcs.Client
	Node    node.Node
	// Workload prepares the start of silo's verb workload.
	Workload   func(args []string) (jobobject.ProcessOptions, error)
	Processors int
	// Emulation is the name of what stands in for Windows, as [Emulation] has it.
	Emulation string
	Now       func() time.Time
	// Pause lets time pass for those that burn it.
	Pause func(context.Context, time.Duration) error
}

// trialTime bounds one trial.
const trialTime = 30 * time.Second

// Run tries everything, in order.
func (h *Host) Run(ctx context.Context) []Verdict {
	var list []Verdict
	for _, group := range [][]trial{processTrials, limitTrials, figureTrials, rightTrials, fileTrials, serviceTrials} {
		for i := range group {
			t := &group[i]
			note, err := h.try(ctx, t)
			list = append(list, judge(t, note, err, h.Emulation))
		}
	}
	return list
}

// trial is one thing to find out, in a job of its own with limits.
type trial struct {
	name, settles string
	limits        jobobject.Limits
	run           func(context.Context, *stage) error
}

func (h *Host) try(ctx context.Context, t *trial) (note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	s := &stage{Host: h}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.job, err = s.newJob("", t.limits); err != nil {
		return "", err
	}
	s.messages = s.job.Messages()
	// What waits for a workload to say something ends with it.
	ended := context.AfterFunc(ctx, func() { _ = s.job.Terminate(1) })
	defer ended()
	err = t.run(ctx, s)
	return s.note, err
}
