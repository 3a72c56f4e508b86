package command

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) execCommand() *cobra.Command {
	f := new(programFlags)
	c := &cobra.Command{
		Use:   "exec [flags] container -- program [args...]",
		Short: "Run a program inside a running container's job",
		Long: `Exec starts a program as a member of a running container: the limits bind it, and it ends with the container. It runs
as the user of silo, on the host's own files. The exit code is the program's. Programs in Windows Server containers are
started through containerd (ctr task exec).`,
		Example: "  silo exec web -- cmd.exe /c dir",
		Args:    cobra.MinimumNArgs(2),
		RunE:    func(c *cobra.Command, args []string) error { return a.exec(c.Context(), f, args[0], args[1:]) },
	}
	c.Flags().SetInterspersed(false)
	f.register(c.Flags())
	return c
}

// errServer says that a verb does not reach into Windows Server containers.
var errServer = errors.New("it is a Windows Server container: use ctr or crictl for that")

func (a *App) exec(ctx context.Context, f *programFlags, ref string, args []string) error {
	if len(args) > 0 && args[0] == "--" { // with flags off after the container, cobra leaves it in
		args = args[1:]
	}
	if err := needProgram(nil, args); err != nil {
		return err
	}
	options, err := a.program(f, args)
	if err != nil {
		return err
	}
	c, err := a.Node.Find(ref)
	if err != nil {
		return err
	}
	if c.Kind == node.Server {
		return errServer
	}
	drain := a.pipes(&options)
	var process *jobobject.Process
	// The job is closed right after the start: it must end with its maker, not with us.
	const access = jobobject.AccessQuery | jobobject.AccessAssign
	err = a.look(c, access, func(job *jobobject.Job) (err error) {
		process, err = job.Start(options)
		return err
	})
	if err != nil {
		if process != nil {
			err = errors.Join(err, process.Close())
		}
		return errors.Join(startError(err), drain())
	}
	defer context.AfterFunc(ctx, func() { _ = process.Signal(jobobject.CtrlC) })() // it may have ended
	code, err := process.Wait(context.WithoutCancel(ctx))
	err = errors.Join(err, process.Close(), drain())
	if err == nil && code != 0 {
		return exit(code)
	}
	return err
}
