package sim_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/log"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files")

// silenceLog suppresses the log until the end of the test: many calls fail on purpose.
func silenceLog(t testing.TB) {
	t.Helper()
	level := log.GetLevel()
	if err := log.SetLevel("fatal"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.SetLevel(level.String()) }) // level was valid
}

// runUntilExit runs the container until its shim exits. From then on no call of the shim has an effect.
func (c *crashRun) runUntilExit(t *testing.T) error {
	defer c.injector.files()()
	done := make(chan error, 1)
	go func() { done <- c.run(t) }() // finish waits for it
	select {
	case err := <-done:
		synctest.Wait() // for the last events
		return err
	case <-c.injector.reached:
		synctest.Wait() // for the calls that it has begun
		return nil
	}
}

// cleanUp runs the verb delete three times, as containerd does when it has lost a shim, and checks that nothing is left.
func (c *crashRun) cleanUp(ctx context.Context) error {
	for range 3 {
		if err := c.deleteVerb(); err != nil {
			return err
		}
	}
	return c.checkNothingLeft(ctx)
}

// finish ends the goroutines of the shim, which a real process would not have any more. Then it ends the neighbour and
// checks that no handle is open.
func (c *crashRun) finish(t *testing.T) error {
	if !c.injector.hasExited() {
		c.injector.exit()
	}
	const afterTimeouts = time.Hour // of the bubble's clock
	time.Sleep(afterTimeouts)
	if c.shim != nil {
		_, _ = c.shim.Delete(t.Context(), &api.DeleteRequest{ID: "c"}) // its calls fail
		time.Sleep(afterTimeouts)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_ = c.publisher.Close(done) // the events that are left are not sent
	if err := errors.Join(c.neighbours(t, "check"), c.neighbours(t, "end")); err != nil {
		return fmt.Errorf("neighbour: %w", err)
	}
	c.kernel.Wait() // for every program
	c.service.Wait()
	synctest.Wait() // for the pending answers
	if jobs, systems := c.kernel.OpenHandles(), c.service.OpenHandles(); jobs+systems > 0 {
		return fmt.Errorf("%d handles of the kernel and %d of the service are left", jobs, systems)
	}
	return nil
}

// crashAt lets one shim exit at a point, and checks that the clean-up leaves nothing. It returns the points of the run.
func crashAt(t *testing.T, l lifecycle, at point) (points []point) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrashRun(t, l, at)
		err := c.runUntilExit(t)
		exited := c.injector.hasExited()
		points = c.injector.points()
		if err == nil {
			err = c.cleanUp(t.Context())
		}
		if err = errors.Join(err, c.finish(t)); err != nil {
			t.Errorf("%s, %s: %v", l, at, err)
		}
		if !exited && at != (point{}) {
			t.Errorf("%s: the shim was never %s", l, at)
		}
	})
	return points
}

// lifecycles are those of the matrix.
var lifecycles = []lifecycle{
	{"job", false}, {"job", true}, {"root", false}, {"root", true}, {"server", false}, {"server", true}, {"image", false},
}

// TestCrashMatrix_ShimExitsAtEachCall_DeleteRemovesAll lets the shim exit before and after each of its calls that create,
// change or end something, with every kind of container. The clean-up ends in time, may be repeated, leaves nothing, and
// does not affect the neighbour. testdata/crash.golden lists the calls; those on files and pipes need the build tag faults.
func TestCrashMatrix_ShimExitsAtEachCall_DeleteRemovesAll(t *testing.T) {
	silenceLog(t)
	total := 0
	var list strings.Builder
	on := lifecycles
	if runtime.GOOS == "windows" {
		on = on[:1] // the machine is simulated there too, and files take longer
	}
	for _, l := range on {
		points := crashAt(t, l, point{})
		for _, at := range points {
			crashAt(t, l, at)
		}
		total += len(points)
		list.WriteString(calls(l, points))
	}
	t.Logf("%d points", total)
	golden(t, filepath.Join("testdata", "crash.golden"), list.String())
}

// calls lists the calls with the number of their points.
func calls(l lifecycle, points []point) string {
	count := map[string]int{}
	for _, at := range points {
		count[at.name]++
	}
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&list, "%s: %s %d\n", l, name, count[name])
	}
	return list.String()
}

// golden compares with a file, or writes it. A build without the points of files and pipes has fewer lines.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if !fault.Enabled {
			t.Fatal("update the golden in a build with the tag faults")
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(string(text), "\r\n", "\n")
	if !fault.Enabled {
		want = common(want, got)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the calls have changed (-want +got); run with -update:\n%s", diff)
	}
}

// common returns the lines of a text that the other text has too.
func common(text, other string) string {
	var both strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains("\n"+other, "\n"+line) {
			both.WriteString(line)
		}
	}
	return both.String()
}
