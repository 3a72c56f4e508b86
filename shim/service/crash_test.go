package service_test

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

var update = flag.Bool("update", false, "write the goldens anew")

// quiet keeps the log to itself: much goes wrong on purpose.
func quiet(t *testing.T) {
	t.Helper()
	level := log.GetLevel()
	if err := log.SetLevel("fatal"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.SetLevel(level.String()) }) // it was one
}

// die lets the container live until its shim dies, and gives what a dead shim has left undone no effect.
func (c *crash) die(t *testing.T) error {
	defer c.fuse.files()()
	lived := make(chan error, 1)
	go func() { lived <- c.live(t) }() // bury waits for it
	select {
	case err := <-lived:
		synctest.Wait() // the last events are under way
		return err
	case <-c.fuse.blown:
		synctest.Wait() // what it had begun is begun
		return nil
	}
}

// cleanUp does what containerd does when it has lost a shim, three times, and tells what is left.
func (c *crash) cleanUp(ctx context.Context) error {
	for range 3 {
		if err := c.remove(); err != nil {
			return err
		}
	}
	return c.left(ctx)
}

// bury ends what a dead process does not have any more: goroutines, which here are those of the test. Then the neighbour
// ends in order, and nobody has a handle.
func (c *crash) bury(t *testing.T) error {
	if !c.fuse.died() {
		c.fuse.end()
	}
	const over = time.Hour // by the bubble's clock whatever is bounded is over
	time.Sleep(over)
	if c.shim != nil {
		_, _ = c.shim.Delete(t.Context(), &api.DeleteRequest{ID: "c"}) // all that it asks of the machine fails
		time.Sleep(over)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = c.publisher.Close(gone) // what a dead shim has not told stays untold
	if err := errors.Join(c.neighbours(t, "look"), c.neighbours(t, "end")); err != nil {
		return fmt.Errorf("neighbour: %w", err)
	}
	c.kernel.Wait() // every program has ended
	c.service.Wait()
	synctest.Wait() // what was asked has been answered
	if jobs, systems := c.kernel.OpenHandles(), c.service.OpenHandles(); jobs+systems > 0 {
		return fmt.Errorf("%d handles of the kernel and %d of the service are left", jobs, systems)
	}
	return nil
}

// crashAt has one shim die, and checks that the clean-up leaves nothing. It returns the moments that there were.
func crashAt(t *testing.T, l life, at moment) (moments []moment) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrash(t, l, at)
		err := c.die(t)
		died := c.fuse.died()
		moments = c.fuse.moments()
		if err == nil {
			err = c.cleanUp(t.Context())
		}
		if err = errors.Join(err, c.bury(t)); err != nil {
			t.Errorf("%s, %s: %v", l, at, err)
		}
		if !died && at != (moment{}) {
			t.Errorf("%s: the shim never came to be %s", l, at)
		}
	})
	return moments
}

// lives are those of the matrix.
var lives = []life{
	{"job", false}, {"job", true}, {"root", false}, {"root", true}, {"server", false}, {"server", true}, {"image", false},
}

// TestCrashMatrix lets the shim die before and after each of its calls that make, change or end something, in every kind
// of container's life. Whenever that is, the clean-up is done in time, may be repeated, leaves nothing, and touches
// nobody else. testdata/crash.golden lists the calls; those at files and pipes are there in a build with the tag faults.
func TestCrashMatrix(t *testing.T) {
	quiet(t)
	total := 0
	var list strings.Builder
	on := lives
	if runtime.GOOS == "windows" {
		on = on[:1] // the machine is simulated there, too; only files cost more
	}
	for _, l := range on {
		moments := crashAt(t, l, moment{})
		for _, at := range moments {
			crashAt(t, l, at)
		}
		total += len(moments)
		list.WriteString(calls(l, moments))
	}
	t.Logf("%d points", total)
	golden(t, filepath.Join("testdata", "crash.golden"), list.String())
}

// calls lists the moments by call, with how many there are.
func calls(l life, moments []moment) string {
	count := map[string]int{}
	for _, at := range moments {
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

// common are the lines of a text that another has as well.
func common(text, other string) string {
	var both strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains("\n"+other, "\n"+line) {
			both.WriteString(line)
		}
	}
	return both.String()
}
