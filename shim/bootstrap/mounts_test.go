package bootstrap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

func TestMounts_ReplyAndInfo_ListTheSame(t *testing.T) {
	want := []string{"windows-layer", "CimFS", "BlockCIM"}
	d := newDaemon(t)
	out, err := d.start("c1", d.bundle("c1", goodConfig), bootstrapParams(t, "c1", nil))
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	_, r := parse(t, out)
	connect(t, d, "c1", r.Address).end()
	var claimed types.MountCapabilities
	if found, err := r.FindExtension(&claimed); err != nil || !found {
		t.Fatalf("the reply claims no mounts: %v", err)
	}
	if diff := cmp.Diff(want, claimed.Types); diff != "" || len(claimed.Transforms) > 0 {
		t.Errorf("the reply claims %v (-want +got):\n%s", &claimed, diff)
	}
	_, stdout, _ := call(testShim{}, nil, "-info")
	var info types.RuntimeInfo
	if err := proto.Unmarshal(stdout.Bytes(), &info); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, strings.Split(info.Annotations["containerd.io/runtime-allow-mounts"], ",")); diff != "" {
		t.Errorf("-info claims (-want +got):\n%s", diff)
	}
}

// TestStart_SandboxWithoutSpec_Starts: the Sandbox API begins with a bundle that has none, or an empty one, or one that is no
// container's. Before BootstrapParams every start is for a container.
func TestStart_SandboxWithoutSpec_Starts(t *testing.T) {
	for name, config := range map[string]string{"none": "", "empty": " ", "no container's": `{"annotations":{"a":"b"}}`} {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(t)
			bundle := d.bundle("p", config)
			if config == " " {
				if err := os.WriteFile(filepath.Join(bundle, "config.json"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := d.start("p", bundle, bootstrapParams(t, "p", nil))
			if err != nil {
				t.Fatalf("start: %v: %s", err, out)
			}
			_, r := parse(t, out)
			connect(t, d, "p", r.Address).end()
			if out, err := d.start("p", bundle, nil); err == nil {
				t.Errorf("a start for a container without a spec: %s", out)
			}
		})
	}
}
