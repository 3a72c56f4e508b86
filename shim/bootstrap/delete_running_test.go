package bootstrap

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"

	"github.com/siloshim/siloshim/internal/pipe"
)

// podConfig is the spec of a container in the pod of s.
const podConfig = `{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-id":"s"},` +
	`"process":{"args":["app.exe"],"cwd":"C:\\"},"windows":{}}`

// TestDelete_ShimRuns_IsShutDown: containerd calls delete for a shim that it cannot reach and that still runs.
func TestDelete_ShimRuns_IsShutDown(t *testing.T) {
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

// TestDelete_WorkloadOfPod_ShimStays: the shim also serves the other containers of the pod.
func TestDelete_WorkloadOfPod_ShimStays(t *testing.T) {
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

// TestDelete_ShimSendsNoReply_CleanupRuns: a process listens at the address and sends no reply.
func TestDelete_ShimSendsNoReply_CleanupRuns(t *testing.T) {
	d := newDaemon(t)
	bundle := d.bundle("c1", goodConfig)
	t.Setenv("TMPDIR", d.state)
	address := newAddress("ns", "c1")
	l, err := pipe.Listen(address)
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
	if code != 0 || !cleaned || !strings.Contains(stderr.String(), "call Connect of the shim at "+address+": no reply within 1.5s") {
		t.Errorf("delete: status %d, stderr %q, cleaned up %v", code, stderr, cleaned)
	}
}

// TestDelete_ShimHasOtherContainers_Stays: a sandbox was deleted before its workloads.
func TestDelete_ShimHasOtherContainers_Stays(t *testing.T) {
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
