package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/shim/pod"
)

// cleaner remembers what it was asked to clean up, and fails for one id.
type cleaner struct {
	fails string

	mu   sync.Mutex
	seen []string
}

func (c *cleaner) Cleanup(_ context.Context, namespace, id, bundle string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, namespace+" "+id+" "+filepath.Base(bundle))
	if id == c.fails {
		return errors.New("in use")
	}
	return nil
}

// TestCleanupOfASandbox: containerd 2.3 asks for that alone when the shim of a pod has died.
func TestCleanupOfASandbox(t *testing.T) {
	w := newWorld(t)
	dir := w.sandbox(t)
	var want []string
	for _, id := range []string{"a", "b"} {
		at := inPod(t, "container", nil, "sleep")
		w.MustCreateFrom(t, id, at)
		want = append(want, "ns "+id+" "+filepath.Base(at))
	}
	want = append(want, "ns p "+filepath.Base(dir))
	c := &cleaner{}
	if err := pod.Cleanup(t.Context(), c, "ns", "p", dir); err != nil {
		t.Error(err)
	}
	slices.Sort(want)
	slices.Sort(c.seen)
	if diff := cmp.Diff(want, c.seen); diff != "" {
		t.Errorf("cleaned up (-want +got):\n%s", diff)
	}
	c = &cleaner{fails: "b"}
	if err := pod.Cleanup(t.Context(), c, "ns", "p", dir); err == nil || !strings.Contains(err.Error(), "workload b: in use") || len(c.seen) != 3 {
		t.Errorf("with one that fails: %v, and cleaned up: %v", err, c.seen)
	}
}

// TestCleanupOfAContainer has nobody else to look after.
func TestCleanupOfAContainer(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bundle := range []string{dir, filepath.Join(dir, "gone")} {
		c := &cleaner{}
		if err := pod.Cleanup(t.Context(), c, "ns", "c", bundle); err != nil || len(c.seen) != 1 {
			t.Errorf("cleaned up: %v, %v", c.seen, err)
		}
	}
}
