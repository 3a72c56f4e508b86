package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/bootstrap"
)

// Serve and Cleanup implement [bootstrap.Shim] for the verb delete.
func (c *crashRun) Serve(context.Context, bootstrap.Params) error { return errExited }

func (c *crashRun) Cleanup(ctx context.Context, p bootstrap.Params) error {
	return c.engine.Cleanup(ctx, p.Namespace, p.ID, p.Bundle)
}

// deleteVerb runs the verb delete.
func (c *crashRun) deleteVerb() error {
	out := log.L.Logger.Out
	defer log.L.Logger.SetOutput(out)
	var stdout, stderr bytes.Buffer
	began := time.Now()
	code := bootstrap.Main(bootstrap.Process{
		Args:   []string{"containerd-shim-silo-v1.exe", "-namespace", "ns", "-id", "c", "-bundle", c.dir, "delete"},
		Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
	}, c)
	if took := time.Since(began); took >= 4*time.Second { // by the bubble's clock
		return fmt.Errorf("delete took %v, want less than 4s", took)
	}
	if code != 0 || stderr.Len() > 0 {
		return fmt.Errorf("delete: status %d, %s", code, stderr.String())
	}
	return nil
}

// inventory describes what the machine has of containers, except the jobs.
func (c *crashRun) inventory(ctx context.Context) string {
	guard, gerr := c.engine.Service.ServiceProperties(ctx, schema.ServiceCredentialGuard)
	systems, serr := c.engine.Service.Enumerate(ctx, nil)
	var names []string
	for _, s := range systems {
		names = append(names, s.Id)
	}
	return fmt.Sprintf("%v; systems %v, %v; credentials %s, %v", c.machine.Held(), names, serr, guard.Properties, gerr)
}

// checkNothingLeft fails if anything of the container is left.
func (c *crashRun) checkNothingLeft(ctx context.Context) error {
	var all []error
	for _, closeHandle := range c.spectators {
		closeHandle()
	}
	switch _, err := c.kernel.OpenJob(hostprocess.JobName("ns", "c"), jobobject.AccessQuery); {
	case err == nil:
		all = append(all, errors.New("the job is left"))
	case !errors.Is(err, jobobject.ErrNotExist):
		all = append(all, err)
	}
	if now := c.inventory(ctx); now != c.before {
		all = append(all, fmt.Errorf("the machine has %s; before it had %s", now, c.before))
	}
	entries, err := os.ReadDir(c.dir)
	if len(entries) != 1 { // config.json
		all = append(all, fmt.Errorf("files %v are left, want config.json", entries))
	}
	return errors.Join(append(all, err)...)
}
