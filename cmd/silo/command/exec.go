package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) execCommand() *cobra.Command {
	f, terminal := new(programFlags), new(terminalFlags)
	c := &cobra.Command{
		Use:   "exec [flags] container -- program [args...]",
		Short: "Run a program inside a running container's job",
		Long: `Exec starts a program as a member of a running container: the limits apply to it, and it ends with the container. It
runs as the user of silo, with the files of the host. The exit code is the program's. Programs in Windows Server containers are
started through containerd (ctr task exec).`,
		Example: "  silo exec web -- cmd.exe /c dir",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := terminal.check(a); err != nil {
				return err
			}
			return a.exec(c.Context(), f, args[0], args[1:])
		},
	}
	c.Flags().SetInterspersed(false)
	f.register(c.Flags())
	terminal.register(c.Flags())
	refuseDocker(c.Flags(), dockerExecFlags)
	return c
}

// errServer is returned by verbs that are not for Windows Server containers.
var errServer = errors.New("not supported for a Windows Server container; use ctr or crictl")

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
		return fmt.Errorf("exec in %s: %w", c.Name(), errServer)
	}
	if err := engine.InheritEvents(); err != nil {
		return err
	}
	drain := a.pipes(&options)
	var process *jobobject.Process
	// The job is closed right after the start: it must end with its supervisor, not with this process.
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

// pipes connects the program to the streams of silo: directly where they are files, and otherwise by a pipe. drain waits
// for the end of the output. It is called after the start of the program, also where that failed.
func (a *App) pipes(o *jobobject.ProcessOptions) (drain func() error) {
	if a.connect(o) {
		return func() error { return nil }
	}
	read, write, err := os.Pipe()
	if err != nil {
		return func() error { return err }
	}
	o.Stdout, o.Stderr = write, write
	return func() error {
		// This is the last handle once the program has ended, so the read below ends.
		err := write.Close()
		_, cerr := io.Copy(a.Stdout, read)
		return errors.Join(err, cerr, read.Close())
	}
}
