package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// linked is a machine with these directories. Those with another value are links.
func linked(dirs map[string]string) Machine {
	return Machine{
		Lookup: func(string) bool { return false },
		Resolve: func(path string) (string, error) {
			if real, there := dirs[path]; there {
				return real, nil
			}
			return "", fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
		},
	}
}

// Neither the compute service nor the layer filter follows links.
func TestLayers_BehindLinks_AreResolved(t *testing.T) {
	h := linked(map[string]string{
		`C:\root`: `D:\data`, `C:\root\snapshots`: `D:\data\snapshots`, `C:\root\snapshots\1`: `D:\data\snapshots\1`,
		`C:\images\base`: `E:\3f2a`, `C:\images\app`: `C:\images\app`, `C:\images`: `C:\images`,
	})
	for name, test := range map[string]struct {
		folders []string
		want    Layers
	}{
		"no links": {
			[]string{`C:\images\app`, `C:\images\new`},
			Layers{Scratch: `C:\images\new`, Parents: []string{`C:\images\app`}},
		},
		"a data root behind a junction": {
			[]string{`C:\root\snapshots\1`, `C:\root\snapshots\2`}, // the second is made when it is mounted
			Layers{Scratch: `D:\data\snapshots\2`, Parents: []string{`D:\data\snapshots\1`}},
		},
		"a layer of another name": {
			[]string{`C:\images\base`, `C:\images\app`, `F:\gone\scratch`},
			Layers{
				Scratch: `F:\gone\scratch`, Parents: []string{`E:\3f2a`, `C:\images\app`},
				Named: []string{`C:\images\base`, `C:\images\app`},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Kind = WindowsLayer
			s := &specs.Spec{
				Process: &specs.Process{Args: []string{"app.exe"}, Cwd: `C:\`}, Windows: &specs.Windows{LayerFolders: test.folders},
			}
			server, err := h.WCOW("c", s, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, server.Layers); diff != "" {
				t.Errorf("server (-want +got):\n%s", diff)
			}
			j := &HostProcess{host: h.withDefaults()}
			if err := j.planRoot("c", s, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, j.Root.Layers); diff != "" {
				t.Errorf("job container (-want +got):\n%s", diff)
			}
		})
	}
}

// The location stays as it is if its target has no drive.
func TestRoot_BehindLink_IsResolved(t *testing.T) {
	h := linked(map[string]string{
		`C:\link`: `D:\real`, `C:\volume`: `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}\`, `C:\hpc`: `C:\hpc`,
	})
	for at, want := range map[string]Root{
		`C:\hpc`:        {Path: `C:\hpc\c`, location: `C:\hpc`},
		`C:\link\hpc`:   {Path: `D:\real\hpc\c`, location: `C:\link\hpc`},
		`C:\volume\hpc`: {Path: `C:\volume\hpc\c`, location: `C:\volume\hpc`},
		`C:\none`:       {Path: `C:\none\c`, location: `C:\none`},
	} {
		j := &HostProcess{host: h.withDefaults()}
		s := &specs.Spec{
			Windows:     &specs.Windows{LayerFolders: []string{`C:\0`, `C:\1`}},
			Annotations: map[string]string{"microsoft.com/hostprocess-rootfs-location": at},
		}
		if err := j.planRoot("c", s, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, j.Root, cmp.AllowUnexported(Root{}), cmpopts.IgnoreFields(Root{}, "Layers")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", at, diff)
		}
		for _, below := range []string{at, want.Path} {
			if inner := j.Root.inner(below + `\bin`); inner != `\bin` {
				t.Errorf("%s: %s\\bin is at %s of the root", at, below, inner)
			}
		}
	}
}

func TestLayers_CannotBeResolved_ErrorNamesLayer(t *testing.T) {
	denied := errors.New("access is denied")
	h := Machine{Resolve: func(string) (string, error) { return "", denied }}.withDefaults()
	for _, l := range []Layers{
		{Kind: WindowsLayer, Parents: []string{`C:\parent`}, Scratch: `C:\scratch`},
		{Kind: CimFS, Parents: []string{`C:\x`}, Cims: []string{`C:\x.cim`}, Scratch: `C:\scratch`},
	} {
		want := l.Scratch
		if l.Kind == WindowsLayer {
			want = l.Parents[0]
		}
		if err := l.resolve(h); !errors.Is(err, denied) || !strings.Contains(err.Error(), fmt.Sprintf("layer %q", want)) {
			t.Errorf("%s: %v", l.Kind, err)
		}
	}
	mounted := Layers{Kind: WindowsLayer, Volume: `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}\`}
	if err := mounted.resolve(h); err != nil {
		t.Errorf("a mounted volume: %v", err)
	}
}
