package selftest

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// Host is the machine under test. All fields are required.
type Host struct {
	Kernel  jobobject.Kernel
	Service *hcs.Client
	Node    node.Node
	// Workload prepares the start of silo's verb workload.
	Workload func(args []string) (jobobject.ProcessOptions, error)
	// Token makes a token as [token.New] does.
	Token func(*token.Restriction) (*token.Token, error)
	// Listen serves a pipe with this name, as the shim serves its own.
	Listen     func(name string) (net.Listener, error)
	Processors int
	// Emulation names the emulation of Windows, as [Emulation] returns it.
	Emulation string
	Now       func() time.Time
	// Pause waits while programs use processor time.
	Pause func(context.Context, time.Duration) error
}

// trialTime bounds one trial.
const trialTime = 30 * time.Second

// groups are the trials, in order.
var groups = [][]trial{processTrials, limitTrials, jobTrials, statisticTrials, handleTrials, tokenTrials, fileTrials, serviceTrials}

// Run runs all trials, in order.
func (h *Host) Run(ctx context.Context) []Verdict {
	var list []Verdict
	for _, group := range groups {
		for i := range group {
			t := &group[i]
			note, err := h.try(ctx, t)
			list = append(list, judge(t, note, err, h.Emulation))
		}
	}
	return list
}

// trial is one check, in a new job with limits.
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
	// A workload that hangs is terminated, and so what waits for its output ends.
	stop := context.AfterFunc(ctx, func() { _ = s.job.Terminate(1) })
	defer stop()
	err = t.run(ctx, s)
	return s.note, err
}
