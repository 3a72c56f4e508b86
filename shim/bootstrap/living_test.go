package bootstrap

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
)

// podConfig is the spec of a container in the pod of s.
const podConfig = `{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-id":"s"},` +
	`"process":{"args":["app.exe"],"cwd":"C:\\"},"windows":{}}`

// TestDeleteEndsALivingShim: containerd has lost the way to a shim that still runs, and calls delete.
func TestDeleteEndsALivingShim(t *testing.T) {
	d := newDaemon(t)
	bundle := d.bundle("c1", goodConfig)
	out, err := d.start("c1", bundle, nil)
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	shim := connect(t, d, "c1", string(out))
	cleaned := false
	s := testShim{cleanup: func(context.Context, Params) error { cleaned = true; return nil }}
	if code, _, stderr := call(s, nil, deleteArgs(bundle)...); code != 0 || stderr.Len() > 0 || !cleaned {
		t.Errorf("delete: status %d, stderr %q, cleaned up %v", code, stderr, cleaned)
	}
	_, _ = io.ReadAll(shim.log) // it ends with the shim, or never
}

// TestDeleteLeavesThePodItsShim: delete is for one container of a pod, and the shim has the others, too.
func TestDeleteLeavesThePodItsShim(t *testing.T) {
	d := newDaemon(t)
	out, err := d.start("s", d.bundle("s", goodConfig), nil)
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	shim := connect(t, d, "s", string(out))
	bundle := d.bundle("c1", podConfig)
	if err := os.WriteFile(filepath.Join(bundle, addressFile), out, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(testShim{}, nil, deleteArgs(bundle)...); code != 0 || stderr.Len() > 0 {
		t.Errorf("delete: status %d, stderr %q", code, stderr)
	}
	if _, err := shim.client.Connect(t.Context(), &api.ConnectRequest{ID: "s"}); err != nil {
		t.Errorf("the shim of the pod, after delete of one container: %v", err)
	}
	shim.end()
}

// TestDeleteOfADeafShim: who listens there does not answer. The clean-up takes place, in time.
func TestDeleteOfADeafShim(t *testing.T) {
	d := newDaemon(t)
	bundle := d.bundle("c1", goodConfig)
	t.Setenv("TMPDIR", d.state)
	address := newAddress("ns", "c1")
	l, err := listen(address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile(filepath.Join(bundle, addressFile), []byte(address), 0o600); err != nil {
		t.Fatal(err)
	}
	cleaned := false
	s := testShim{cleanup: func(context.Context, Params) error { cleaned = true; return nil }}
	code, _, stderr := call(s, nil, deleteArgs(bundle)...)
	if code != 0 || !cleaned || !strings.Contains(stderr.String(), "does not answer") {
		t.Errorf("delete: status %d, stderr %q, cleaned up %v", code, stderr, cleaned)
	}
}

// TestDeleteLeavesAShimThatHasOthers: a sandbox that has been deleted in order leaves its workloads to the shim.
func TestDeleteLeavesAShimThatHasOthers(t *testing.T) {
	d := newDaemon(t)
	out, err := d.start("a", d.bundle("a", goodConfig), nil) // the container that the shim has
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	shim := connect(t, d, "a", string(out))
	bundle := d.bundle("c1", goodConfig)
	if err := os.WriteFile(filepath.Join(bundle, addressFile), out, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(testShim{}, nil, deleteArgs(bundle)...); code != 0 || stderr.Len() > 0 {
		t.Errorf("delete: status %d, stderr %q", code, stderr)
	}
	if _, err := shim.client.Connect(t.Context(), &api.ConnectRequest{ID: "a"}); err != nil {
		t.Errorf("the shim, after delete of what it does not have: %v", err)
	}
	shim.end()
}
