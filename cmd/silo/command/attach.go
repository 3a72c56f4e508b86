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
		Long: `Attach puts running processes into a job with limits, and with them every child that they start later. It stays until
all of them have exited, so that silo ps, update and the other verbs find them. Children that exist already are not in the
job: name their pids, too. After Ctrl+C the processes run on under their limits, which can no longer be changed.`,
		Example: "  silo attach --cpus 2 --memory 1g 4711 4712",
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

func (a *App) attach(ctx context.Context, f *attachFlags, args []string) (err error) {
	var pids []uint32
	for _, arg := range args {
		pid, err := strconv.ParseUint(arg, 10, 32)
		if err != nil || pid == 0 {
			return fmt.Errorf("attach %q: not a process id; silo ps and tasklist list them", arg)
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
		return errors.New("--leave and --kill-on-exit exclude each other; use one")
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
			return fmt.Errorf("attach process %d: %w", pid, err)
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
