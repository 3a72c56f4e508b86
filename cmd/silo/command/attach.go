package command

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
)

// attachFlags are the flags of attach.
type attachFlags struct {
	name       string
	limits     limit.Flags
	bestEffort bool
	leave      bool
	end        bool
}

func (a *App) attachCommand() *cobra.Command {
	f := new(attachFlags)
	c := &cobra.Command{
		Use:   "attach [limits] pid|image...",
		Short: "Put limits on running processes",
		Long: `Attach puts running processes into a job with limits, and with them every child that they start later. A process is
named by its id, or with all others of the same image by the name of that, such as app.exe. Attach stays until all of them
have exited, so that silo ps, update and the other verbs find them. Children that exist already are not in the job: name
them, too. After Ctrl+C the processes run on under their limits, which can no longer be changed.

If one of the processes or one of the limits is refused, no process gets any limit.`,
		Example: "  silo attach --cpus 2 --memory 1g 4711 4712\n  silo attach --name editors --priority BelowNormal notepad.exe",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.attach(c.Context(), f, args) },
	}
	set := c.Flags()
	set.StringVar(&f.name, "name", "", "name of the container; default: attach-PID of the first process")
	set.BoolVar(&f.bestEffort, "best-effort", false, "apply the other limits where one cannot be applied, and print a warning")
	set.BoolVar(&f.leave, "leave", false, "return at once: the limits stay in force, and the container has no name")
	set.BoolVar(&f.end, "kill-on-exit", false, "terminate the processes when silo ends")
	f.limits.Register(set)
	return c
}

func (a *App) attach(ctx context.Context, f *attachFlags, args []string) error {
	if f.leave && f.end {
		return errors.New("--leave and --kill-on-exit exclude each other; use one")
	}
	l, err := f.limits.Apply(jobobject.Limits{}, a.Machine)
	if err != nil {
		return err
	}
	list, err := a.openTargets(args)
	if err != nil {
		return err
	}
	defer list.close(a.Kernel)
	name := f.name
	if name == "" {
		name = fmt.Sprintf("attach-%d", list[0].pid)
	}
	if err := plan.ValidName("--name", name); err != nil {
		return err
	}
	if err := list.check(&l); err != nil {
		return err
	}
	if !f.bestEffort {
		if err := a.rehearse(l); err != nil {
			return hint(err)
		}
	}
	return a.attachTargets(ctx, f, name, l, list)
}

// rehearse sets the limits of an empty job. The limits of a job with members cannot all be undone.
func (a *App) rehearse(l jobobject.Limits) error {
	job, err := jobobject.Create(jobobject.Options{Kernel: a.Kernel})
	if err != nil {
		return err
	}
	err = job.SetLimits(context.Background(), l) // a new job: there is nothing to wait for
	if err != nil {
		err = fmt.Errorf("%w: %w", errLimit, err)
	}
	return errors.Join(err, job.Close())
}

// attachTargets puts the processes into a job without limits, and limits that when all are in it: a process cannot leave
// a job, and in one without limits it runs as before.
func (a *App) attachTargets(ctx context.Context, f *attachFlags, name string, l jobobject.Limits, list targets) (err error) {
	job, _, err := a.createJob(ctx, name, jobobject.Limits{}, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	messages := job.Messages() // from before the first member
	journal := newJournal(a.Node.Records, &node.Record{
		Kind: node.Attach, ID: name, Supervisor: uint32(os.Getpid()), Pid: list[0].pid, Started: a.Now(), Status: node.Starting,
	})
	if !f.leave {
		if err := journal.write(func(*node.Record) {}); err != nil {
			return errors.Join(fmt.Errorf("%w; no process was attached", err), journal.close())
		}
	}
	warnings, err := a.limitTargets(f, job, l, list)
	if err != nil || f.leave {
		lost := journal.close()
		if !f.leave {
			err = errors.Join(err, lost, a.Node.Records.Remove(name))
		}
		return err
	}
	journal.update(func(r *node.Record) { r.Warnings, r.Status = warnings, node.Running })
	journal.listen(messages)
	werr := job.WaitEmpty(ctx)
	if err := journal.close(); err != nil {
		fmt.Fprintf(a.Stderr, "silo: warning: %s\n", oneLine(err))
	}
	if werr != nil && ctx.Err() == nil {
		return werr
	}
	return a.Node.Records.Remove(name)
}

// limitTargets assigns the processes and then sets the limits. After an error the job has none.
func (a *App) limitTargets(f *attachFlags, job *jobobject.Job, l jobobject.Limits, list targets) (warnings []string, err error) {
	for _, t := range list {
		if err := job.AssignHandle(t.handle); err != nil {
			return nil, fmt.Errorf("attach process %d: %w; no process got a limit. Its job may not allow nesting, or processes of several jobs were named", t.pid, err)
		}
	}
	ctx := context.Background() // no other call sets limits
	if warnings, err = limit.Set(ctx, job, l, f.bestEffort); err != nil {
		err = hint(fmt.Errorf("%w: %w", errLimit, err))
		return nil, errors.Join(err, job.SetLimits(ctx, jobobject.Limits{}))
	}
	for _, w := range warnings {
		fmt.Fprintf(a.Stderr, "silo: warning: %s\n", w)
	}
	if !f.end {
		return warnings, nil
	}
	// The last step: a failure before it must not end the processes with the job.
	l = job.Limits()
	l.KillOnClose = true
	return warnings, job.SetLimits(ctx, l)
}
