package pod

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

	"github.com/siloshim/siloshim/test/sparse"
)

// cleaner records what it cleans up, and fails for one id.
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

// TestCleanup_Sandbox_CleansItsWorkloads: containerd 2.3 calls delete for the sandbox alone if the shim of a pod has died.
func TestCleanup_Sandbox_CleansItsWorkloads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sandbox")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := newPod("p", dir, false, nil)
	for _, id := range []string{"a", "b"} {
		if err := p.record(id, "bundle-"+id); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"ns a bundle-a", "ns b bundle-b", "ns p sandbox"}
	c := &cleaner{}
	if err := Cleanup(t.Context(), c, "ns", "p", dir); err != nil {
		t.Error(err)
	}
	slices.Sort(c.seen)
	if diff := cmp.Diff(want, c.seen); diff != "" {
		t.Errorf("cleaned up (-want +got):\n%s", diff)
	}
	c = &cleaner{fails: "b"}
	if err := Cleanup(t.Context(), c, "ns", "p", dir); err == nil || !strings.Contains(err.Error(), "workload b: in use") || len(c.seen) != 3 {
		t.Errorf("with one that fails: %v, and cleaned up: %v", err, c.seen)
	}
}

func TestCleanup_Container_CleansItAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bundle := range []string{dir, filepath.Join(dir, "gone")} {
		c := &cleaner{}
		if err := Cleanup(t.Context(), c, "ns", "c", bundle); err != nil || len(c.seen) != 1 {
			t.Errorf("cleaned up: %v, %v", c.seen, err)
		}
	}
}

// TestRemoveRecord_Sandbox_KeepsThoseOfRemovedWorkloads: a workload that was removed although something of it is left keeps its
// record, and those that outlive the sandbox lose theirs.
func TestRemoveRecord_Sandbox_KeepsThoseOfRemovedWorkloads(t *testing.T) {
	p := newPod("p", t.TempDir(), false, nil)
	for _, id := range []string{"failed", "deleted", "running"} {
		if err := p.record(id, id); err != nil {
			t.Fatal(err)
		}
	}
	p.Remove("failed")
	for _, id := range []string{"deleted", "deleted", "p"} { // a second time is no error
		if err := p.RemoveRecord(id); err != nil {
			t.Error(err)
		}
	}
	left, err := Workloads(p.Bundle)
	if diff := cmp.Diff(map[string]string{"failed": "failed"}, left); diff != "" || err != nil {
		t.Errorf("the records: %v (-want +got):\n%s", err, diff)
	}
}

// TestPod_RemoveRecord_IDWithAPath_RemovesNothing: the id of a request is not checked yet when its record is removed.
func TestPod_RemoveRecord_IDWithAPath_RemovesNothing(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPod("p", filepath.Join(dir, "sandbox"), false, nil)
	if err := p.RemoveRecord("x/../../other"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

func TestWorkloads_HugeRecord_IsRefused(t *testing.T) {
	bundle := t.TempDir()
	path := filepath.Join(bundle, recordPrefix+"c")
	sparse.File(t, path)
	_, err := Workloads(bundle)
	sparse.Refused(t, path, err)
}
