package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

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
		Use:   "attach [limits] pid...",
		Short: "Put limits on running processes",
		Long: `Attach puts running processes, and every child they make from now on, into a job with limits, and stays until all of
them have ended, so that silo ps, update and the others find them. Children from before are not in the job: name their
pids, too. After Ctrl+C the processes go on under their limits, which nobody can change then.`,
		Example: "  silo attach --cpus 2 --memory 1g 4711 4712",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.attach(c.Context(), f, args) },
	}
	set := c.Flags()
	set.StringVar(&f.name, "name", "", "name of the container; the first pid makes one otherwise")
	set.BoolVar(&f.bestEffort, "best-effort", false, "warn of limits that cannot be applied instead of refusing")
	set.BoolVar(&f.leave, "leave", false, "do not stay: the limits hold, and the container has no name")
	set.BoolVar(&f.end, "kill-on-exit", false, "end the processes when silo ends")
	f.limits.Register(set)
	return c
}

func (a *App) attach(ctx context.Context, f *attachFlags, args []string) (err error) {
	var pids []uint32
	for _, arg := range args {
		pid, err := strconv.ParseUint(arg, 10, 32)
		if err != nil || pid == 0 {
			return fmt.Errorf("%q is not a process id", arg)
		}
		pids = append(pids, uint32(pid))
	}
	name := f.name
	if name == "" {
		name = fmt.Sprintf("attach-%d", pids[0])
	}
	if err := plan.ValidName("--name", name); err != nil {
		return err
	}
	if f.leave && f.end {
		return errors.New("--leave and --kill-on-exit exclude each other")
	}
	l, err := f.limits.Apply(jobobject.Limits{KillOnClose: f.end}, a.Machine)
	if err != nil {
		return err
	}
	job, warnings, err := a.createJob(name, l, f.bestEffort)
	if err != nil {
		return hint(err)
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	messages := job.Messages() // from before the first member
	for _, pid := range pids {
		if err := job.Assign(pid); err != nil {
			return fmt.Errorf("process %d: %w", pid, err)
		}
	}
	if f.leave {
		return nil
	}
	record := &node.Record{Kind: node.Attach, ID: name, Supervisor: uint32(os.Getpid()), Pid: pids[0], Started: a.Now(), Warnings: warnings}
	journal := newJournal(a.Node.Records, record)
	if err := journal.write(func(*node.Record) {}); err != nil {
		return errors.Join(err, journal.close())
	}
	journal.listen(messages)
	werr := job.WaitEmpty(ctx)
	if err := journal.close(); err != nil {
		fmt.Fprintf(a.Stderr, "silo: warning: %v\n", err)
	}
	if werr != nil && ctx.Err() == nil {
		return werr
	}
	return a.Node.Records.Remove(name)
}
