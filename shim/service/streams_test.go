package service_test

import (
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/test/sim"
)

// TestCreateWithoutItsStreams: a container whose streams cannot be opened is given back, and one that cannot be made never
// touches them: containerd may ask again, and needs them then.
func TestCreateWithoutItsStreams(t *testing.T) {
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
