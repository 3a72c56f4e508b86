package service_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types"
	taskapi "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/test/sim"
)

// failures are the calls that can fail when a container is created, and the words of their errors.
var failures = []struct{ call, words string }{
	{"LayerID", "name layer"}, {"Activate", "activate layer"}, {"Prepare", "prepare layer"}, {"Volume", "find volume"},
	{"CreateNamespace", "create network namespace"}, {"AddEndpoint", "add endpoint"},
	{"ModifyServiceSettings", "add credentials"}, {"ServiceProperties", "query credentials"},
	{"CreateSystem", "create system"}, {"SetSystemCallback", "create system"},
}

// TestCreate_WCOWCallFails_NothingLeft: the error names the step, and the id is free again.
func TestCreate_WCOWCallFails_NothingLeft(t *testing.T) {
	boom := errors.New("boom")
	for _, f := range failures {
		t.Run(f.call, func(t *testing.T) {
			w := sim.NewWCOWWorld(t)
			w.Machine.Fail(f.call, 0, 1, boom)
			w.Service.Fault(f.call, hcstest.Fault{Err: hcs.CodeAccessDenied})
			dir := sim.WCOWBundle(t, nil, "sleep")
			_, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: dir})
			if err == nil || !strings.Contains(err.Error(), f.words) {
				t.Errorf("error %v, want one that names %q", err, f.words)
			}
			w.NothingLeft(t)
			if len(w.Events()) > 0 {
				t.Errorf("events %v", w.Events())
			}
			w.Service.Fault(f.call, hcstest.Fault{Times: 0, Skip: 1 << 30})
			w.MustCreateC(t, "sleep")
		})
	}
	t.Logf("%d places", len(failures))
}

// TestStart_WCOWCallFails_NothingLeft: the container can be deleted.
func TestStart_WCOWCallFails_NothingLeft(t *testing.T) {
	for _, call := range []string{"StartSystem", "CreateProcess", "SetProcessCallback"} {
		t.Run(call, func(t *testing.T) {
			w := sim.NewWCOWWorld(t)
			w.MustCreateC(t, "sleep")
			w.Service.Fault(call, hcstest.Fault{Err: hcs.CodeWin32NoResources})
			if _, err := w.Start(t.Context(), &api.StartRequest{ID: "c"}); !errdefs.IsResourceExhausted(errgrpc.ToNative(err)) {
				t.Errorf("start: %v, want resource exhausted", err)
			}
			w.MustDelete(t, "c", "")
			w.NothingLeft(t)
		})
	}
}

func TestExec_WCOWCallFails_TaskRuns(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	w.MustCreateC(t, "sleep")
	w.MustStart(t, "c", "")
	for i, call := range []string{"CreateProcess", "SetProcessCallback"} {
		id := fmt.Sprint("e", i)
		w.Service.Fault(call, hcstest.Fault{Err: hcs.CodeWin32NoResources})
		w.MustExec(t, "c", id, "sleep")
		if _, err := w.Start(t.Context(), &api.StartRequest{ID: "c", ExecID: id}); !errdefs.IsResourceExhausted(errgrpc.ToNative(err)) {
			t.Errorf("%s: %v, want resource exhausted", call, err)
		}
		w.MustDelete(t, "c", id)
	}
	if s, err := w.State(t.Context(), &api.StateRequest{ID: "c"}); err != nil || s.Status != taskapi.Status_RUNNING {
		t.Errorf("state %v, %v; want RUNNING", s, err)
	}
}

func TestDelete_WCOWCallFailsOnce_IsRepeated(t *testing.T) {
	for _, call := range []string{
		"ShutDownSystem", "TerminateSystem", "TerminateProcess", "Unprepare", "Deactivate", "RemoveEndpoint", "DeleteNamespace", "ModifyServiceSettings",
	} {
		t.Run(call, func(t *testing.T) {
			w := sim.NewWCOWWorld(t)
			w.MustCreateC(t, "event")
			w.MustStart(t, "c", "")
			w.Machine.Fail(call, 0, 2, errors.New("busy"))
			w.Service.Fault(call, hcstest.Fault{Err: hcs.CodeAborted})
			_, err := w.Kill(t.Context(), &api.KillRequest{ID: "c", Signal: 15})
			if err != nil {
				t.Fatal(err)
			}
			if code := w.MustWait(t, "c", ""); code != 40 {
				t.Errorf("init ended with %d, want 40", code)
			}
			w.MustDelete(t, "c", "")
			w.NothingLeft(t)
		})
	}
}

// TestCleanup_WCOWOfADeadShim_NothingLeft: the record in the bundle names the resources, and a second clean-up is no error.
func TestCleanup_WCOWOfADeadShim_NothingLeft(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	dir := w.MustCreateC(t, "sleep")
	list, err := os.ReadFile(filepath.Join(dir, "silo-resources.json"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(list, []byte("ActiveDirectory")) || !json.Valid(list) {
		t.Errorf("the list holds a secret, or is none: %s", list)
	}
	w.MustStart(t, "c", "")
	for range 2 {
		if err := w.Engine.Cleanup(t.Context(), "ns", "c", dir); err != nil {
			t.Error(err)
		}
	}
	if held := w.Machine.Held(); len(held) > 0 {
		t.Errorf("left on the machine: %v", held)
	}
	w.MustWait(t, "c", "")
}

func TestCreate_WCOWRootfs_LayersOfTheRequest(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	dir := sim.WCOWBundle(t, func(s *specs.Spec) { s.Windows.LayerFolders = nil }, "exit", "0")
	for _, m := range []*types.Mount{
		{Type: "windows-layer", Source: `C:\snap\3`, Options: []string{`parentLayerPaths=["C:\\snap\\2","C:\\snap\\1"]`}},
		{Type: "CimFS", Source: `C:\snap\3`, Options: []string{`parentLayerPaths=["C:\\snap\\2"]`, `parentCimPaths=["C:\\cim\\2.cim"]`}},
		{Type: "BlockCIM", Source: `C:\snap\3`, Options: []string{`parentCimPaths=["C:\\b\\2.bcim\\l","C:\\b\\1.bcim\\l"]`, "blockCIMType=file", `mergedCIMPath=C:\b\m.bcim\m`}},
	} {
		if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "c", Bundle: dir, Rootfs: []*types.Mount{m}}); err != nil {
			t.Fatal(err)
		}
		if d, _ := w.Service.Document("c"); d.Container.Storage.Path == "" || len(d.Container.Storage.Layers) == 0 {
			t.Errorf("%s: storage %+v", m.Type, d.Container.Storage)
		}
		w.MustDelete(t, "c", "")
		w.NothingLeft(t)
	}
}

// TestCreate_StreamsOrContainerFail_NothingLeft: the streams are opened after the container was made. If that fails
// containerd may repeat the request and needs the streams.
func TestCreate_StreamsOrContainerFail_NothingLeft(t *testing.T) {
	for _, c := range []struct {
		name, words string
		fault       hcstest.Fault
	}{
		{"the streams", "stdout: ", hcstest.Fault{Skip: 1 << 30}},
		{"the container", "create system", hcstest.Fault{Err: hcs.CodeAccessDenied}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sim.NewWCOWWorld(t)
			w.Service.Fault("CreateSystem", c.fault)
			_, err := w.Create(t.Context(), &api.CreateTaskRequest{
				ID: "c", Bundle: sim.WCOWBundle(t, nil, "sleep"), Stdout: "no-scheme://nowhere",
			})
			if err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("error %v, want one with %q", err, c.words)
			}
			w.NothingLeft(t)
			w.Service.Fault("CreateSystem", hcstest.Fault{Skip: 1 << 30})
			w.MustCreateC(t, "sleep")
		})
	}
}
