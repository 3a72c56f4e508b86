package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
)

// record is the record of the container before its start.
func (p *runPlan) record(kind node.Kind, warnings []string, now time.Time) *node.Record {
	r := &node.Record{
		Kind: kind, ID: p.name, Supervisor: uint32(os.Getpid()), Log: p.log.path, LogStart: p.log.start, Warnings: warnings, GraceNS: int64(p.grace), Started: now,
		Status: node.Starting,
	}
	for _, s := range p.stops {
		r.Signals = append(r.Signals, s.String())
	}
	return r
}

// begin writes the record of a container before anything of it is started. If that fails, nothing may start.
func (a *App) begin(p *runPlan, record *node.Record) (*journal, error) {
	j := newJournal(a.Node.Records, record)
	if err := j.write(func(*node.Record) {}); err != nil {
		return nil, errors.Join(fmt.Errorf("nothing was started: %w", err), j.close())
	}
	a.storeLaunch(p)
	return j, nil
}

// supervised keeps the program of a container running, and the journal up to date.
func (a *App) supervised(ctx context.Context, p *runPlan, c container.Container, process *plan.Process, out *outputs, j *journal) (supervisor.Result, error) {
	j.watch(out)
	ready := a.detached(p)
	result, err := supervisor.Run(ctx, supervisor.Options{
		Container: c, Process: process, Stdin: out.stdin, Stdout: out.stdout, Stderr: out.stderr,
		Policy: p.policy, Signals: p.stops, Grace: time.Duration(p.grace), Timeout: time.Duration(p.timeout),
		Notice: func(n container.Notice) { j.observe(n.Kind) },
		Warn: func(err error) {
			fmt.Fprintf(a.Stderr, "silo: warning: %s\n", oneLine(err))
			j.update(func(r *node.Record) { r.Warnings = append(r.Warnings, err.Error()) })
		},
		Observe: func(e supervisor.Event) {
			switch {
			case e.Err != nil:
				fmt.Fprintf(a.Stderr, "silo: %s was not started: %v; the next start is in %v\n", p.name, e.Err, e.Pause)
			case e.Pid == 0:
				fmt.Fprintf(a.Stderr, "silo: %s ended with code %d; the next start is in %v\n", p.name, e.Code, e.Pause)
			}
			j.update(func(r *node.Record) { recordEvent(r, e, a.Now()) })
			ready()
		},
	})
	out.close(a)
	return result, err
}

// recordEvent writes a step of a run into its record.
func recordEvent(r *node.Record, e supervisor.Event, now time.Time) {
	r.Restarts = e.Restarts
	if e.Pid != 0 {
		r.Status, r.Pid = node.Running, e.Pid
		return
	}
	r.Status, r.LastExit = node.Restarting, &node.Exit{Code: e.Code, Reason: string(e.Reason), At: now}
	if e.Err != nil {
		r.LastExit.Code, r.LastExit.Error = errorCode(startError(e.Err)), e.Err.Error()
	}
}

// finish writes how a run ended, and returns its exit code. After a start that failed err is the error, and otherwise a
// warning, as is what has failed beside the program.
func (a *App) finish(p *runPlan, record *node.Record, result supervisor.Result, err, also error) error {
	record.Status, record.Restarts = node.Ended, result.Restarts
	record.Exit = &node.Exit{Code: result.Code, Reason: string(result.Reason), At: a.Now()}
	if err != nil && (result.Reason == supervisor.NotStarted || result.Reason == "") {
		record.Exit.Code, record.Exit.Reason, record.Exit.Error = errorCode(err), string(supervisor.NotStarted), err.Error()
		return errors.Join(err, also, a.endRecord(p, record))
	}
	also = errors.Join(also, a.endRecord(p, record))
	if err := errors.Join(err, also); err != nil {
		fmt.Fprintf(a.Stderr, "silo: warning: %s\n", oneLine(err))
	}
	if result.Code != 0 {
		return exit(result.Code)
	}
	return nil
}

// endRecord keeps the record of a container with a name, or with a log in its directory, for silo wait and silo logs. It
// removes any other.
func (a *App) endRecord(p *runPlan, record *node.Record) error {
	if p.remove || p.unnamed && (!p.detach || record.Pid == 0) {
		return a.Node.Records.Remove(p.name)
	}
	return a.Node.Records.Write(record)
}
