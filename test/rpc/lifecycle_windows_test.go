package rpc

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/payload/flood"
	"github.com/siloshim/siloshim/test/workload"
)

func TestTask_NeverStarted_KilledAndDeleted(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	s.create(t, "")
	began := time.Now()
	if _, err := s.Kill(t.Context(), &api.KillRequest{ID: s.id, Signal: 9}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	took(t, "kill and delete of a task that never started", began)
	if _, err := s.State(t.Context(), &api.StateRequest{ID: s.id}); !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Errorf("state after delete: %v, want not found", err)
	}
}

// containerd sends Shutdown after each container. A shim with another task stays.
func TestShutdown_TaskExists_ShimStays(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	s.create(t, "")
	s.start(t, "")
	shutDown := func() {
		if _, err := s.Shutdown(t.Context(), &api.ShutdownRequest{ID: s.id}); err != nil {
			t.Fatal(err)
		}
	}
	shutDown()
	s.kill(t, "", 9)
	s.ends(t, "", 137)
	shutDown()
	if _, err := s.process.Wait(); err != nil {
		t.Error(err)
	}
}

// Shutdown follows the exit immediately.
func TestShutdown_AfterFastExit_AllOutputArrives(t *testing.T) {
	const size = 10 << 20
	s := newShim(t, workload.Spec("flood", "10485760"))
	out := newReader(t)
	s.create(t, out.path)
	if _, err := s.Start(t.Context(), &api.StartRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(t.Context(), &api.WaitRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Shutdown(t.Context(), &api.ShutdownRequest{ID: s.id, Now: true}); err != nil {
		t.Fatal(err)
	}
	<-out.done
	var want bytes.Buffer
	if err := flood.Write(&want, size); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes of %d arrived, or different ones", out.got.Len(), size)
	}
}

func TestRequests_Invalid_ClassAndCauseAreNamed(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	s.create(t, "")
	for _, c := range []struct {
		name  string
		r     *api.CreateTaskRequest
		class error
		want  string
	}{
		{"duplicate id", &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle}, errdefs.ErrAlreadyExists, s.id},
		{"id with path characters", &api.CreateTaskRequest{ID: `..\x`, Bundle: s.bundle}, errdefs.ErrInvalidArgument, "id"},
		{"unknown options", &api.CreateTaskRequest{ID: "other", Bundle: s.bundle,
			Options: &anypb.Any{TypeUrl: "example.Options", Value: []byte{1}}}, errdefs.ErrInvalidArgument, "example.Options"},
		{"no bundle", &api.CreateTaskRequest{ID: "other", Bundle: s.bundle + `\none`}, errdefs.ErrInvalidArgument, "config.json"},
	} {
		_, err := s.Create(t.Context(), c.r)
		if err = errgrpc.ToNative(err); !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %v that names %q", c.name, err, c.class, c.want)
		}
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Error(err)
	}
}

func TestStart_MalformedConfig_Refused(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	if err := os.WriteFile(s.bundle+`\config.json`, []byte("{\n\"process\": [}"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := s.command(t.Context(), "start")
	cmd.Dir = s.bundle
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "config.json") {
		t.Errorf("start: %v, %q, want a refusal that names config.json", err, out)
	}
}
