package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/proto"

	"github.com/siloshim/siloshim/test/sparse"
)

// call runs Main in this process.
func call(s Shim, stdin []byte, args ...string) (code int, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	code = Main(Process{
		Args: append([]string{"containerd-shim-silo-v1.exe"}, args...), Getenv: func(string) string { return "" },
		Stdin: bytes.NewReader(stdin), Stdout: stdout, Stderr: stderr,
	}, s)
	return code, stdout, stderr
}

func deleteArgs(bundle string) []string {
	return []string{"-namespace", "ns", "-id", "c1", "-bundle", bundle, "delete"}
}

func TestDelete_ShimDied_CleansUpAndReportsExit(t *testing.T) {
	bundle := filepath.Join(t.TempDir(), "c1")
	var got Params
	before := time.Now()
	code, stdout, stderr := call(testShim{cleanup: func(_ context.Context, p Params) error { got = p; return nil }}, nil, deleteArgs(bundle)...)
	if code != 0 || stderr.Len() > 0 {
		t.Fatalf("delete: status %d, stderr %q", code, stderr)
	}
	if got.ID != "c1" || got.Namespace != "ns" || got.Bundle != bundle {
		t.Errorf("cleaned up %s in %s, bundle %s", got.ID, got.Namespace, got.Bundle)
	}
	var r task.DeleteResponse
	if err := proto.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.ExitStatus != 137 || r.ExitedAt.AsTime().Before(before) {
		t.Errorf("reply: status %d at %v, want 137 and now", r.ExitStatus, r.ExitedAt.AsTime())
	}
}

func TestDelete_CleanupHangs_EndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		s := testShim{cleanup: func(context.Context, Params) error { <-hang; return nil }}
		began := time.Now()
		code, stdout, stderr := call(s, nil, deleteArgs(t.TempDir())...)
		if took := time.Since(began); took >= 4*time.Second {
			t.Errorf("delete took %v of the bubble's clock, want less than 4s", took)
		}
		if code != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "clean up: not done") {
			t.Errorf("delete: status %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		close(hang)
	})
}

func TestDelete_CleanupFails_ReturnsItsError(t *testing.T) {
	s := testShim{cleanup: func(context.Context, Params) error { return errors.New("job still alive") }}
	code, stdout, stderr := call(s, nil, deleteArgs(t.TempDir())...)
	if code != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "delete c1: job still alive") {
		t.Errorf("delete: status %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestDelete_ShimPanicked_ReportsPanic(t *testing.T) {
	d := newDaemon(t)
	d.mode = "crash"
	bundle := d.bundle("c1", goodConfig)
	out, err := d.start("c1", bundle, nil)
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	connect(t, d, "c1", string(out)).end()
	code, _, stderr := call(testShim{}, nil, deleteArgs(bundle)...)
	if code != 0 || !strings.Contains(stderr.String(), "panic: on another goroutine") {
		t.Errorf("delete: status %d, stderr %q; want the panic of the shim", code, stderr)
	}
	if _, err := os.Stat(string(crashPath(bundle, "c1"))); err == nil {
		t.Error("the crash file is still there after delete")
	}
	if code, _, stderr := call(testShim{}, nil, deleteArgs(bundle)...); code != 0 || stderr.Len() > 0 {
		t.Errorf("delete again: status %d, stderr %q; want nothing to say", code, stderr)
	}
}

func TestInfo(t *testing.T) {
	code, stdout, stderr := call(testShim{}, nil, "-info")
	var info types.RuntimeInfo
	if err := proto.Unmarshal(stdout.Bytes(), &info); err != nil || code != 0 {
		t.Fatalf("-info: status %d, %v, stderr %q", code, err, stderr)
	}
	if info.Name != "io.containerd.silo.v1" || info.Version.GetVersion() == "" {
		t.Errorf("-info: %v", &info)
	}
	if code, stdout, _ := call(testShim{}, []byte{0xff}, "-info"); code != 1 || stdout.Len() > 0 {
		t.Errorf("-info with garbage: status %d, stdout %q", code, stdout)
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := call(testShim{}, nil, "-v")
	lines := strings.Split(stdout.String(), "\n")
	if code != 0 || len(lines) < 4 || lines[0] != "containerd-shim-silo-v1.exe:" ||
		!strings.HasPrefix(lines[1], "  Version:  ") || !strings.HasPrefix(lines[2], "  Revision: ") || !strings.HasPrefix(lines[3], "  Go version: go") {
		t.Errorf("-v: status %d, %q", code, stdout)
	}
}

// Both verbs read the address of a shim from a bundle: delete that of the bundle, start that of the sandbox.
func TestAddress_HugeFile_IsRefused(t *testing.T) {
	bundle := t.TempDir()
	config := []byte(`{"ociVersion":"1.0.2","process":{"args":["x"],"cwd":"C:\\"}}`)
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(bundle, addressFile)
	sparse.File(t, path)
	sparse.Refused(t, path, shutDownShim(t.Context(), Params{ID: "c1", Bundle: bundle}))
	_, err := sandboxAddress(Params{Bundle: filepath.Join(filepath.Dir(bundle), "workload")}, filepath.Base(bundle))
	sparse.Refused(t, path, err)
}

func TestInfo_HugeInput_IsRefused(t *testing.T) {
	code, stdout, stderr := call(testShim{}, make([]byte, maxStdin+1), "-info")
	if code == 0 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "more than 1048576 bytes") {
		t.Errorf("status %d, stdout %d bytes, stderr %q", code, stdout.Len(), stderr)
	}
}
