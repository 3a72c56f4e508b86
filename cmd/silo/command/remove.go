package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/cmd/silo/wcow"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) rmCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "rm [-f] container...",
		Short: "Remove containers of silo run that have ended, with their output",
		Long: `Rm removes the records of containers of silo run: those that have exited, those that are lost, and those whose record
cannot be read. It also removes the output that is kept beside the record. A file that silo run --log names is kept. With
--force rm first terminates a container that runs. If a container cannot be removed the others are, and the exit code is 1.`,
		Example: "  silo rm web\n  silo rm -f web worker",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachName(args, func(ref string) (string, error) { return a.rm(c.Context(), ref, force) })
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "terminate a container that runs, and remove it")
	return c
}

func (a *App) rm(ctx context.Context, ref string, force bool) (string, error) {
	c, err := a.own(ctx, ref)
	if err != nil {
		return "", err
	}
	if c.Living() {
		if !force {
			return "", fmt.Errorf("remove %s: it is %s; stop it first, or use silo rm -f", c.Name(), c.Status)
		}
		if err := a.killOwn(ctx, c); err != nil {
			return "", fmt.Errorf("remove %s: %w", c.Name(), err)
		}
	}
	if err := a.removeOwn(ctx, c); err != nil {
		return "", err
	}
	text := "removed the record and the output in " + a.Node.Records.Path(c.ID)
	if log := a.keptLog(c); log != "" {
		text = "removed the record in " + a.Node.Records.Path(c.ID) + " and kept the log " + log
	}
	fmt.Fprintf(a.Stderr, "silo: %s: %s\n", printable(c.Name()), printable(text))
	return c.Name(), nil
}

// own finds a container of silo run or silo attach, living or not. The job of one that is lost may exist a moment longer
// than its supervisor.
func (a *App) own(ctx context.Context, ref string) (node.Container, error) {
	c, err := a.Node.FindOwn(ref)
	if err == nil && c.Status == node.Lost && c.Living() {
		if err := a.awaitNoJob(ctx, c); err != nil {
			return c, err
		}
		c, err = a.Node.FindOwn(c.Name())
	}
	if !errors.Is(err, node.ErrNotFound) {
		return c, err
	}
	if other, otherErr := a.Node.Find(ref); otherErr == nil {
		return c, fmt.Errorf("%s is no container of silo run; use the client of its maker, such as ctr or crictl", other.Name())
	}
	return c, fmt.Errorf("find container %s: %w; silo ps -a lists the containers", ref, node.ErrNotFound)
}

// keptLog is the log of a container that is not in the directory of its record.
func (a *App) keptLog(c node.Container) string {
	if c.Record == nil || c.Record.Log == "" {
		return ""
	}
	inside, err := filepath.Rel(a.Node.Records.Path(c.ID), c.Record.Log)
	if err == nil && !strings.HasPrefix(inside, "..") {
		return ""
	}
	return c.Record.Log
}

// killOwn terminates a container of silo run for good, and waits for its supervisor.
func (a *App) killOwn(ctx context.Context, c node.Container) error {
	// The request keeps the supervisor from starting the program again.
	if err := a.requestStop(c.ID, supervisor.Stop{}); err != nil && !errors.Is(err, node.ErrNotFound) {
		return err
	}
	kill := func() error { return a.kill(ctx, c, container.Killed) }
	if c.Kind == node.Server {
		kill = func() error { return a.terminateServer(ctx, c) }
	}
	if err := kill(); err != nil && !errors.Is(err, node.ErrNotFound) && !errors.Is(err, hcs.ErrNotFound) {
		return err
	}
	if err := a.awaitSupervisor(ctx, c); err != nil {
		return err
	}
	return a.awaitNoJob(ctx, c)
}

// removeOwn removes the record of a container that has ended, and releases what it has left behind.
func (a *App) removeOwn(ctx context.Context, c node.Container) error {
	if err := a.awaitEnding(ctx, c); err != nil {
		return err
	}
	return a.reserved(c.ID, func() error {
		if now, err := a.Node.FindOwn(node.Own + "/" + c.ID); err == nil && now.Living() && !lostServer(now) {
			return fmt.Errorf("remove %s: it is %s", c.Name(), now.Status)
		}
		if dir := a.Node.Records.Path(c.ID); wcow.Left(dir) {
			// The record names what is released: accounts, volumes, systems.
			if err := a.Node.Records.Owned(c.ID); err != nil {
				return fmt.Errorf("release what %s has left behind: %w", c.Name(), err)
			}
			if err := a.containers().Cleanup(ctx, node.Own, c.ID, dir); err != nil {
				return fmt.Errorf("release what %s has left behind: %w", c.Name(), err)
			}
		}
		return a.Node.Records.Remove(c.ID)
	})
}

// lostServer reports whether a container is a Windows Server container without a supervisor. The release of its resources ends it.
func lostServer(c node.Container) bool { return c.Kind == node.Server && c.Status == node.Lost }

// endingTimeout bounds the time between the record of an exit and the end of the supervisor.
const endingTimeout = 5 * time.Second

// awaitEnding waits for the end of a supervisor that has recorded the exit of its container. Until then the name is in use.
func (a *App) awaitEnding(ctx context.Context, c node.Container) error {
	if c.Status != node.Ended || !c.Supervised() {
		return nil
	}
	ending, cancel := context.WithTimeout(ctx, endingTimeout)
	defer cancel()
	if err := a.awaitExit(ending, c.Record.Supervisor); err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return err
	}
	return nil
}

// reserved calls do while no supervisor can have the name.
func (a *App) reserved(id string, do func() error) error {
	_, end, err := node.ListenStop(id)
	if errors.Is(err, jobobject.ErrExist) {
		return fmt.Errorf("%s is in use by the silo that runs it; silo stop %s ends it", id, id)
	}
	if err != nil {
		return err
	}
	defer end()
	return do()
}

func (a *App) renameCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rename container name",
		Short: "Give a container of silo run that has ended another name",
		Long: `Rename gives a container of silo run another name. The container must have ended: the name of its job object cannot
change. Its output stays, and silo start starts it under the new name.`,
		Example: "  silo rename web web-old",
		Args:    cobra.ExactArgs(2),
		RunE:    func(c *cobra.Command, args []string) error { return a.rename(c.Context(), args[0], args[1]) },
	}
}

func (a *App) rename(ctx context.Context, ref, name string) error {
	if err := plan.ValidName("the new name", name); err != nil {
		return err
	}
	c, err := a.own(ctx, ref)
	if err != nil {
		return err
	}
	switch {
	case c.Living():
		return fmt.Errorf("rename %s: it is %s; stop it first: the name of its job object cannot change", c.Name(), c.Status)
	case c.Record == nil:
		return fmt.Errorf("rename %s: %s; silo rm removes it", c.Name(), c.Error)
	case wcow.Left(a.Node.Records.Path(c.ID)):
		return fmt.Errorf("rename %s: it has left resources behind; silo cleanup --yes releases them", c.Name())
	}
	move := func() error { return a.Node.Records.Rename(c.Record, name) }
	if other, err := a.Node.FindOwn(node.Own + "/" + name); err == nil && other.ID != c.ID {
		return fmt.Errorf("rename %s: %s exists, and is %s; choose another name, or use silo rm %s", c.Name(), other.Name(), other.Status, other.ID)
	}
	// Without its record the job would be listed as another container.
	if err := cmp.Or(a.awaitEnding(ctx, c), a.awaitNoJob(ctx, c)); err != nil {
		return err
	}
	if strings.EqualFold(name, c.ID) {
		return a.reserved(c.ID, move)
	}
	return a.reserved(c.ID, func() error { return a.reserved(name, move) })
}
