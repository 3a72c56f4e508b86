package rpc

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// init has a console of the requested size, its output and input arrive, and the service gets a new size.
func TestWCOW_Terminal_CarriesInputOutputAndSize(t *testing.T) {
	s := newWCOW(t, "console", func(s *specs.Spec) {
		s.Process.Terminal, s.Process.ConsoleSize = true, &specs.Box{Width: 100, Height: 30}
	})
	shown := newScreen(t)
	keys, keyboard := newKeyboard(t)
	if _, err := s.Create(t.Context(), &api.CreateTaskRequest{
		ID: s.id, Bundle: s.bundle, Terminal: true, Stdin: keys, Stdout: shown.path,
	}); err != nil {
		t.Fatal(err)
	}
	s.start(t, "")
	shown.until(t, "console of 100 by 30")
	if _, err := s.ResizePty(t.Context(), &api.ResizePtyRequest{ID: s.id, Width: 120, Height: 40}); err != nil {
		t.Error(err)
	}
	var resized schema.ProcessModifyRequest
	documents := s.documents(t, "HcsModifyProcess")
	if len(documents) != 1 {
		t.Fatalf("the service got modifications of the process %q, want one document", documents)
	}
	if err := json.Unmarshal([]byte(documents[0]), &resized); err != nil {
		t.Fatal(err)
	}
	if c := resized.ConsoleSize; c == nil || c.Width != 120 || c.Height != 40 {
		t.Errorf("the service got %s, want a console of 120 by 40", documents[0])
	}
	if _, err := (<-keyboard).Write([]byte("stop\r")); err != nil {
		t.Fatal(err)
	}
	s.ends(t, "", endTyped)
}

// A separate program gets each signal of Windows. An unknown signal is refused.
func TestWCOW_EachSignal_IsSentOrRefused(t *testing.T) {
	s := newWCOW(t, "events")
	out := newScreen(t)
	s.create(t, out.path)
	s.start(t, "")
	out.until(t, "listening")
	for _, c := range []struct{ signal, code uint32 }{
		{0, endInterrupt}, {1, endInterrupt}, {2, endTerm}, {5, endTerm}, {6, endTerm}, {15, endTerm}, {9, 137},
	} {
		id := fmt.Sprint("e", c.signal)
		out := newScreen(t)
		s.exec(t, id, "events", out.path)
		out.until(t, "listening")
		_, err := s.Kill(t.Context(), &api.KillRequest{ID: s.id, ExecID: id, Signal: 77})
		if err = errgrpc.ToNative(err); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "77") {
			t.Errorf("kill with 77: %v, want invalid argument that names it", err)
		}
		s.kill(t, id, c.signal)
		s.ends(t, id, c.code)
	}
	s.kill(t, "", 15)
	s.ends(t, "", endTerm)
}

// A plain kill becomes the event that the container has chosen. A program that ignores it is terminated after the grace
// period.
func TestWCOW_StopSignal_IsSentThenKilled(t *testing.T) {
	for _, c := range []struct {
		name, signal, grace string
		program             string
		code                uint32
	}{
		{"event", "CTRL_C", "1h", "events", endInterrupt},
		{"at once", "KILL", "1h", "events", 137},
		{"ignored", "CTRL_C", "100ms", "deaf", 137},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newWCOW(t, c.program, func(s *specs.Spec) {
				s.Annotations["io.siloshim.stop-signal"], s.Annotations["io.siloshim.stop-grace"] = c.signal, c.grace
			})
			out := newScreen(t)
			s.create(t, out.path)
			s.start(t, "")
			out.until(t, "listening")
			s.kill(t, "", 15)
			s.ends(t, "", c.code)
		})
	}
}

// The memory and the processors of a running container change. A field that cannot change is an error that names it.
func TestWCOW_Update_AppliedOrErrorNamesField(t *testing.T) {
	s := newWCOW(t, "events")
	out := newScreen(t)
	s.create(t, out.path)
	s.start(t, "")
	out.until(t, "listening")
	for _, c := range []struct {
		r           specs.WindowsResources
		path, value string // of the request to the service
		refused     string // or what the error names
	}{
		{specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: new(uint64(256 << 20))}}, schema.PathMemory, "256", ""},
		{specs.WindowsResources{Storage: &specs.WindowsStorageResources{Iops: new(uint64(100))}}, "", "", "storage.iops"},
	} {
		before := len(s.documents(t, "HcsModifyComputeSystem"))
		err := s.update(t, c.r)
		documents := s.documents(t, "HcsModifyComputeSystem")[before:]
		if c.refused != "" {
			if !errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), c.refused) || len(documents) > 0 {
				t.Errorf("%s: %v, the service got %q", c.refused, err, documents)
			}
			continue
		}
		if err != nil || len(documents) != 1 {
			t.Fatalf("%s: %v, the service got %q", c.path, err, documents)
		}
		var request schema.ModifySettingRequest
		if err := json.Unmarshal([]byte(documents[0]), &request); err != nil {
			t.Fatal(err)
		}
		if request.ResourcePath != c.path || string(request.Settings) != c.value {
			t.Errorf("the service got %s, want %s at %s", documents[0], c.value, c.path)
		}
	}
	// The processors are a limit of the job. If the kernel does not keep it, the error names the field.
	kept := keeps(t, jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 1}}})
	err := s.update(t, specs.WindowsResources{CPU: &specs.WindowsCPUResources{Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}}}})
	t.Logf("affinity: kept by this kernel %v, answer %v", kept, err)
	if kept && err != nil || !kept && (!errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), "cpu.affinity")) {
		t.Errorf("affinity: kept by this kernel %v, answer %v", kept, err)
	}
	s.kill(t, "", 9)
	s.ends(t, "", 137)
}

// update sends resources as containerd's client does.
func (s *shim) update(t *testing.T, r specs.WindowsResources) error {
	t.Helper()
	value, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Update(t.Context(), &api.UpdateTaskRequest{ID: s.id, Resources: &anypb.Any{
		TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/WindowsResources", Value: value,
	}})
	return errgrpc.ToNative(err)
}
