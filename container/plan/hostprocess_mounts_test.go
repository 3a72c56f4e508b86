package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func mounted(list ...specs.Mount) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Mounts = list }
}

func TestHostProcess_Mounts_DestinationAndLink(t *testing.T) {
	ro := []string{"rbind", "ro"}
	const onVolume = `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}\v` // which is C:\v
	for _, tt := range []struct {
		name   string
		silo   bool
		root   bool
		mounts []specs.Mount
		want   []Mount
	}{
		{"at its destination, and below the root", true, true, []specs.Mount{{Source: `C:/a`, Destination: `c:/var/run\`}},
			[]Mount{{Source: `C:\a`, Destination: `c:\var\run`, Link: `C:\hpc\var\run`}}},
		{"read-only has one path", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\b`, Options: ro}},
			[]Mount{{Source: `C:\a`, Destination: `C:\b`, ReadOnly: true}}},
		{"below the root already", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\HPC\b`}},
			[]Mount{{Source: `C:\a`, Destination: `C:\HPC\b`}}},
		{"without a drive it is the system's", true, true, []specs.Mount{{Source: `D:\a`, Destination: `/b`}},
			[]Mount{{Source: `D:\a`, Destination: `C:\b`, Link: `C:\hpc\b`}}},
		{"one within another has no link", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\b`}, {Source: `C:\c`, Destination: `C:\b\d`}},
			[]Mount{{Source: `C:\a`, Destination: `C:\b`, Link: `C:\hpc\b`}, {Source: `C:\c`, Destination: `C:\b\d`}}},
		{"no link where another is shown", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\b`}, {Source: `C:\c`, Destination: `C:\hpc\b`}},
			[]Mount{{Source: `C:\a`, Destination: `C:\b`}, {Source: `C:\c`, Destination: `C:\hpc\b`}}},
		{"named by its volume, as CRI does", true, true, []specs.Mount{{Source: `\\?\Volume{8a25748f-cf34-4ac6-9ee2-c89400e886db}\a`, Destination: `C:\b`}},
			[]Mount{{Source: `\\?\Volume{8a25748f-cf34-4ac6-9ee2-c89400e886db}\a`, Destination: `C:\b`, Link: `C:\hpc\b`}}},
		{"a source with a backslash at its end, read-only in capitals", true, false, []specs.Mount{{Source: `C:\a\`, Destination: `C:\b`, Options: []string{"RO"}}},
			[]Mount{{Source: `C:\a`, Destination: `C:\b`, ReadOnly: true}}},
		{"a whole drive as source", true, false, []specs.Mount{{Source: `D:\`, Destination: `C:\b`}}, []Mount{{Source: `D:\`, Destination: `C:\b`}}},
		{"in the long form", true, false, []specs.Mount{{Source: `\\?\C:\a`, Destination: `C:\b`}}, []Mount{{Source: `\\?\C:\a`, Destination: `C:\b`}}},
		{"on the host's own files", true, false, []specs.Mount{{Source: `C:\a`, Destination: `C:\b`}}, []Mount{{Source: `C:\a`, Destination: `C:\b`}}},
		{"without a silo, below the root", false, true, []specs.Mount{{Source: `C:\a`, Destination: `D:\b`}, {Source: `C:\c`, Destination: `C:\hpc\d`}},
			[]Mount{{Source: `C:\a`, Destination: `C:\hpc\c\b`}, {Source: `C:\c`, Destination: `C:\hpc\c\d`}}},
		{"onto itself it has a link only", true, true, []specs.Mount{{Source: `C:\a`, Destination: `c:/A`}}, []Mount{{Source: `C:\a`, Link: `C:\hpc\A`}}},
		{"as containerd names it", true, true, []specs.Mount{{Source: onVolume, Destination: `C:\v`}}, []Mount{{Source: onVolume, Link: `C:\hpc\v`}}},
		{"a volume's directory elsewhere", true, true, []specs.Mount{{Source: onVolume, Destination: `C:\b`}},
			[]Mount{{Source: onVolume, Destination: `C:\b`, Link: `C:\hpc\b`}}},
		{"onto itself without a silo", false, true, []specs.Mount{{Source: onVolume, Destination: `C:\v`}}, []Mount{{Source: onVolume, Destination: `C:\hpc\c\v`}}},
		{"read-only in its own place", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\a`, Options: ro}},
			[]Mount{{Source: `C:\a`, Destination: `C:\a`, ReadOnly: true}}},
		{"what is there anyway", false, false, []specs.Mount{{Source: `C:\a`, Destination: `c:/A`}, {Source: `C:\a`},
			{Source: `\\.\pipe\x`, Destination: `\\.\PIPE\X`}, {Source: `\\.\pipe\y`}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := machine(app)
			if tt.silo {
				h = machine(app, bindFilter)
			}
			h.Same = func(a, b string) bool { return a == onVolume && b == `C:\v` }
			change := []func(*specs.Spec){mounted(tt.mounts...)}
			if tt.root {
				change = append(change, layered)
			}
			j := newJob(t, h, change...)
			if diff := cmp.Diff(tt.want, j.Mounts); diff != "" {
				t.Errorf("mounts (-want +got):\n%s", diff)
			}
			if want := tt.silo; j.Silo != want {
				t.Errorf("silo %t, want %t", j.Silo, want)
			}
		})
	}
}

func TestHostProcess_InvalidMount_IsRefused(t *testing.T) {
	ok := specs.Mount{Source: `C:\a`, Destination: `C:\b`}
	for _, tt := range []struct {
		name       string
		silo, root bool
		mounts     []specs.Mount
		class      error
		want       string
	}{
		{"a pipe under another name", true, true, []specs.Mount{{Source: `\\.\pipe\a`, Destination: `\\.\pipe\b`}}, errdefs.ErrInvalidArgument, "mounts[0]: a job container has the host's named pipes"},
		{"a pipe as a file", true, true, []specs.Mount{{Source: `\\.\pipe\a`, Destination: `C:\b`}}, errdefs.ErrInvalidArgument, "named pipes"},
		{"a device", true, true, []specs.Mount{{Source: `\\.\C:`, Destination: `C:\b`}}, errdefs.ErrInvalidArgument, "mounts[0].source"},
		{"a relative source", true, true, []specs.Mount{ok, {Source: `a`, Destination: `C:\c`}}, errdefs.ErrInvalidArgument, "mounts[1].source"},
		{"no source", true, true, []specs.Mount{{Source: `C:\gone`, Destination: `C:\b`}}, errdefs.ErrNotFound, "mounts[0].source"},
		{"up and out", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\hpc\..\Windows`}}, errdefs.ErrInvalidArgument, "mounts[0].destination"},
		{"a stream", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\b:c`}}, errdefs.ErrInvalidArgument, "mounts[0].destination"},
		{"a share", true, true, []specs.Mount{{Source: `C:\a`, Destination: `\\server\share`}}, errdefs.ErrInvalidArgument, "mounts[0].destination"},
		{"the drive", true, true, []specs.Mount{{Source: `C:\a`, Destination: `D:\`}}, errdefs.ErrNotImplemented, "mounts[0]: a mount cannot be a whole drive"},
		{"the root", true, true, []specs.Mount{{Source: `C:\a`, Destination: `c:\hpc\`}}, errdefs.ErrInvalidArgument, "the root file system itself"},
		{"the same twice", true, true, []specs.Mount{ok, {Source: `C:\c`, Destination: `C:\B`}}, errdefs.ErrInvalidArgument, "mounts[1].destination is the target"},
		{"the same twice below the root", false, true, []specs.Mount{ok, {Source: `C:\c`, Destination: `D:\b`}}, errdefs.ErrInvalidArgument, "mounts[1].destination is the target"},
		{"ro and rw", true, true, []specs.Mount{{Source: `C:\a`, Destination: `C:\b`, Options: []string{"ro", "rw"}}}, errdefs.ErrInvalidArgument, "has ro and rw"},
		{"NUL", true, true, []specs.Mount{{Source: "C:\\a\x00", Destination: `C:\b`}}, errdefs.ErrInvalidArgument, "mounts[0].source contains NUL"},
		{"no bind filter", false, false, []specs.Mount{ok}, errdefs.ErrNotImplemented, "no bind filter"},
		{"one within another without a bind filter", false, true, []specs.Mount{ok, {Source: `C:\a`, Destination: `C:\b\c`}}, errdefs.ErrNotImplemented, "mounts[1]: this Windows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := machine(app)
			if tt.silo {
				h = machine(app, bindFilter)
			}
			h.Resolve = func(path string) (string, error) {
				if strings.Contains(path, "gone") {
					return "", errors.New("it is not there")
				}
				return path, nil
			}
			s := hostProcessSpec(mounted(tt.mounts...))
			if tt.root {
				layered(s)
			}
			if _, err := h.HostProcess("c", s, nil); !errors.Is(err, tt.class) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want class %v and %q", err, tt.class, tt.want)
			}
			if !errors.Is(tt.class, errdefs.ErrNotImplemented) {
				return
			}
			annotate(BestEffort, "true")(s)
			j, err := h.HostProcess("c", s, nil)
			if err != nil || len(j.Warnings) != 1 || len(j.Mounts) != len(tt.mounts)-1 ||
				slices.ContainsFunc(j.Mounts, func(m Mount) bool { return m.ReadOnly }) {
				t.Errorf("with best effort: %v, %+v", err, j)
			}
		})
	}
}

// Every pod of Kubernetes has such a mount, so it is not refused.
func TestHostProcess_ReadOnlyMountWithoutBindFilter_WarnsAndIsWritable(t *testing.T) {
	j := newJob(t, machine(app), layered, mounted(specs.Mount{Source: `C:\a`, Destination: `C:\b`, Options: []string{"ro"}}))
	if diff := cmp.Diff([]Mount{{Source: `C:\a`, Destination: `C:\hpc\c\b`}}, j.Mounts); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	if len(j.Warnings) != 1 || !strings.HasPrefix(j.Warnings[0], "mounts[0]: ") {
		t.Errorf("warnings %q", j.Warnings)
	}
}
