package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/cluster/kube"
)

// batch is what one run of the end-to-end tests runs. It has few cases, because they are named on its command line.
type batch struct {
	handler string
	specs   []*spec
	turn    int
}

const batchSize = 8

// run runs the cases with all handlers, in lanes. The first lane has the serial cases.
func (c *suite) run(t *testing.T, handlers []string) []result {
	wanted := regexp.MustCompile(*casesFlag)
	var results []result
	var serial, others []batch
	for _, h := range handlers {
		if err := c.AddE2EUser("e2e:" + h); err != nil {
			t.Fatal(err)
		}
		var now [2][]*spec
		for _, s := range c.specs {
			switch {
			case !wanted.MatchString(s.name):
			case (s.skip != nil) != *skippedFlag:
				results = append(results, result{spec: s, handler: h})
			case s.serial():
				now[0] = append(now[0], s)
			default:
				now[1] = append(now[1], s)
			}
		}
		serial = append(serial, split(h, now[0])...)
		others = append(others, split(h, now[1])...)
	}
	// The handlers take turns: a run that is interrupted has the same cases of each.
	slices.SortStableFunc(others, func(a, b batch) int { return a.turn - b.turn })
	queue := make(chan batch, len(others))
	for _, b := range others {
		queue <- b
	}
	close(queue)
	var mu sync.Mutex
	done := func(more []result) {
		mu.Lock()
		defer mu.Unlock()
		results = append(results, more...)
	}
	var lanes sync.WaitGroup
	lanes.Go(func() {
		for _, b := range serial {
			done(c.runBatch(t, "serial", b))
		}
	})
	for i := range *lanesFlag {
		lanes.Go(func() {
			for b := range queue {
				done(c.runBatch(t, fmt.Sprint(i), b))
			}
		})
	}
	lanes.Wait()
	return results
}

// split makes batches of cases.
func split(handler string, specs []*spec) []batch {
	var batches []batch
	for some := range slices.Chunk(specs, batchSize) {
		batches = append(batches, batch{handler, some, len(batches)})
	}
	return batches
}

// runBatch runs some cases in a lane and logs their results.
func (c *suite) runBatch(t *testing.T, lane string, b batch) []result {
	outcomes, err := c.e2e(t.Context(), lane, b)
	if err != nil {
		t.Error(err)
	}
	var results []result
	for _, s := range b.specs {
		o, ok := outcomes[s.name]
		if !ok {
			o.State = "missing in the report"
		}
		results = append(results, result{s, b.handler, o})
		t.Logf("%s %s %s (%v)", o.State, b.handler, s.name, time.Duration(o.RunTime).Round(time.Second))
	}
	return results
}

// e2e runs the end-to-end tests and reads their report.
func (c *suite) e2e(ctx context.Context, lane string, b batch) (map[string]outcome, error) {
	dir := kube.Dir(c.Wine.Root())
	report := filepath.Join(dir, "e2e-"+lane+".json")
	if err := os.RemoveAll(report); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "e2e-"+lane+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := []string{"--ginkgo.no-color", "--ginkgo.v", "--ginkgo.timeout=2h", "--ginkgo.json-report=" + c.Wine.WindowsPath(report)}
	for _, s := range b.specs {
		args = append(args, "--ginkgo.focus="+regexp.QuoteMeta(s.name)+"$")
	}
	cmd := c.E2E(ctx, "e2e:"+b.handler, args...)
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	text, readErr := os.ReadFile(report)
	if readErr != nil { // it reports failed cases, too
		return nil, fmt.Errorf("the tests have no report: %w; see %s", errors.Join(err, readErr), log.Name())
	}
	return readReport(text)
}
