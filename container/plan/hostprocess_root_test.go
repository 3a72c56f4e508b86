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

const bindFilter = `C:\Windows\System32\bindfltapi.dll`

// layered adds a root file system to a job container.
func layered(s *specs.Spec) { s.Windows.LayerFolders = []string{`C:\layers\0`, `C:\scratch`} }

// files are the files of a container; directories end in a backslash.
type files struct{ list []string }

func (f *files) has(path string) bool {
	return slices.ContainsFunc(f.list, func(have string) bool { return strings.EqualFold(have, path) })
}
func (f *files) IsFile(path string) bool { return f.has(path) }
func (f *files) IsDir(path string) bool  { return f.has(strings.TrimRight(path, `\`) + `\`) }
func (f *files) MakeDir(path string) error {
	if strings.Contains(path, "full") {
		return errors.New("the disk is full")
	}
	f.list = append(f.list, path+`\`)
	return nil
}

func TestHostProcess_Root_PathAndLayers(t *testing.T) {
	volume := `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}\`
	mounted := specs.Mount{Type: "windows-layer", Source: `C:\s`, Options: []string{`parentLayerPaths=["C:\\l"]`}}
	at := func(path string) func(*specs.Spec) {
		return func(s *specs.Spec) { layered(s); annotate("microsoft.com/hostprocess-rootfs-location", path)(s) }
	}
	folders := Layers{Kind: WindowsLayer, Scratch: `C:\scratch`, Parents: []string{`C:\layers\0`}}
	for _, tt := range []struct {
		name        string
		change      func(*specs.Spec)
		rootfs      []specs.Mount
		silo, plain string
		layers      Layers
	}{
		{"layers of the spec", layered, nil, `C:\hpc`, `C:\hpc\c`, folders},
		{"layers of the request", func(*specs.Spec) {}, []specs.Mount{mounted}, `C:\hpc`, `C:\hpc\c`,
			Layers{Kind: WindowsLayer, Scratch: `C:\s`, Parents: []string{`C:\l`}}},
		{"a mounted volume", func(s *specs.Spec) { s.Root = &specs.Root{Path: volume} }, nil, `C:\hpc`, `C:\hpc\c`, Layers{Kind: WindowsLayer, Volume: volume}},
		{"another place", at(`D:/own place/`), nil, `D:\own place`, `D:\own place\c`, folders},
	} {
		for path, h := range map[string]Machine{tt.silo: machine(bindFilter), tt.plain: machine()} {
			j, err := h.HostProcess("c", hostProcessSpec(tt.change), tt.rootfs)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if j.Root.Path != path || j.Silo != (path == tt.silo) {
				t.Errorf("%s: at %s, silo %t, want %s", tt.name, j.Root.Path, j.Silo, path)
			}
			if diff := cmp.Diff(tt.layers, j.Root.Layers); diff != "" {
				t.Errorf("%s: layers (-want +got):\n%s", tt.name, diff)
			}
		}
	}
	for _, wrong := range []string{"", "hpc", `C:`, `C:\`, `C:\a\..\b`, `C:\a:b`, `\\server\share`, `C:\a.`, "C:\\a\x00"} {
		if _, err := machine().HostProcess("c", hostProcessSpec(at(wrong)), nil); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "rootfs-location") {
			t.Errorf("location %q: %v, want an invalid argument that names the annotation", wrong, err)
		}
	}
	if _, err := machine().HostProcess("c", hostProcessSpec(layered), []specs.Mount{mounted}); !errdefs.IsInvalidArgument(err) {
		t.Errorf("layers twice: %v", err)
	}
}

func TestHostProcess_RootVariable_IsSubstituted(t *testing.T) {
	j := newJob(t, machine(bindFilter), layered, func(s *specs.Spec) {
		s.Process = &specs.Process{
			Args: []string{`%CONTAINER_SANDBOX_MOUNT_POINT%\bin\app.exe`, `$env:CONTAINER_SANDBOX_MOUNT_POINT\x`},
			Env:  []string{`DATA=%CONTAINER_SANDBOX_MOUNT_POINT%\data`},
		}
		s.Mounts = []specs.Mount{{Source: `C:\v`, Destination: `%CONTAINER_SANDBOX_MOUNT_POINT%/v`}}
	})
	if want := `C:\hpc\bin\app.exe C:\hpc\x`; j.Process.CommandLine != want {
		t.Errorf("command line %s, want %s", j.Process.CommandLine, want)
	}
	want := []string{`DATA=C:\hpc\data`, `CONTAINER_SANDBOX_MOUNT_POINT=C:\hpc\`}
	if diff := cmp.Diff(want, j.Process.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if j.Mounts[0].Destination != `C:\hpc\v` {
		t.Errorf("mount %+v", j.Mounts[0])
	}
	exec, err := j.Exec(&specs.Process{CommandLine: `$env:CONTAINER_SANDBOX_MOUNT_POINT\b c`, Cwd: `%CONTAINER_SANDBOX_MOUNT_POINT%\bin`})
	if err != nil {
		t.Fatal(err)
	}
	app, dir, err := exec.Search.In(&files{[]string{`C:\hpc\bin\`, `C:\hpc\b.exe`}}, exec.Env)
	if err != nil || app != `C:\hpc\b.exe` || dir != `C:\hpc\bin` || exec.CommandLine != `C:\hpc\b c` {
		t.Errorf("%s in %s as %s, %v", app, dir, exec.CommandLine, err)
	}
}

func TestSearch_RootFileSystem_FindsProgramAndDirectory(t *testing.T) {
	for _, tt := range []struct {
		name          string
		silo          bool
		cwd, program  string
		files         []string
		app, dir, err string
	}{
		{"the root is the default directory", true, "", "app", []string{`C:\hpc\`, `C:\hpc\app.exe`}, `C:\hpc\app.exe`, `C:\hpc\`, ""},
		{"a program without extension", true, "", "/agnhost", []string{`C:\hpc\`, `C:\hpc\agnhost`}, `C:\hpc\agnhost`, `C:\hpc\`, ""},
		{"the host's file comes first", true, `C:\`, `C:\app.exe`, []string{`C:\`, `C:\app.exe`, `C:\hpc\app.exe`}, `C:\app.exe`, `C:\`, ""},
		{"the image has it", true, `C:\work`, `C:\work\app.exe`, []string{`C:\hpc\work\`, `C:\hpc\work\app.exe`}, `C:\hpc\work\app.exe`, `C:\hpc\work`, ""},
		{"a directory of the image", true, `\work`, `bin\app`, []string{`C:\hpc\work\`, `C:\hpc\work\bin\app.exe`}, `C:\hpc\work\bin\app.exe`, `C:\hpc\work`, ""},
		{"from the root if not from the directory", true, `C:\`, `bin\app`, []string{`C:\`, `C:\hpc\bin\app.exe`}, `C:\hpc\bin\app.exe`, `C:\`, ""},
		{"PATH before the root", true, `C:\`, `app`, []string{`C:\`, `C:\hostbin\app.exe`, `C:\hpc\app.exe`}, `C:\hostbin\app.exe`, `C:\`, ""},
		{"the root before Windows", true, `C:\`, `app`, []string{`C:\`, `C:\hpc\app.exe`, `C:\Windows\app.exe`}, `C:\hpc\app.exe`, `C:\`, ""},
		{"the documented place without a silo", false, `C:\hpc`, `C:\hpc\app.exe`, []string{`C:\hpc\`, `C:\hpc\c\`, `C:\hpc\c\app.exe`}, `C:\hpc\c\app.exe`, `C:\hpc\c`, ""},
		{"its real one", false, `C:\hpc\c\w`, `C:\hpc\c\app.exe`, []string{`C:\hpc\c\w\`, `C:\hpc\c\app.exe`}, `C:\hpc\c\app.exe`, `C:\hpc\c\w`, ""},
		{"a directory is made below the root", true, `/new`, "app", []string{`C:\hpc\app.exe`}, `C:\hpc\app.exe`, `C:\hpc\new`, ""},
		{"without a silo too", false, `C:\hpc\new`, "app", []string{`C:\hpc\c\app.exe`}, `C:\hpc\c\app.exe`, `C:\hpc\c\new`, ""},
		{"never elsewhere", true, `C:\new`, "app", nil, "", "", `process.cwd: directory not found: searched C:\new; C:\hpc\new: not found`},
		{"nor up and out", false, `%CONTAINER_SANDBOX_MOUNT_POINT%\..\..\new`, "app", nil, "", "",
			`process.cwd: directory not found: searched C:\hpc\c\..\..\new: not found`},
		{"nor without a letter to drop", true, `\\server\share`, "app", nil, "", "", `process.cwd: directory not found: searched \\server\share: not found`},
		{"it cannot be made", true, `/full`, "app", nil, "", "", "process.cwd: the disk is full"},
		{"no program", true, `C:\`, `D:\app.exe`, []string{`C:\`}, "", "", `process.args[0]: program "D:\\app.exe" not found: searched D:\app.exe; C:\hpc\app.exe: not found`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := machine()
			if tt.silo {
				h = machine(bindFilter)
			}
			j := newJob(t, h, layered, func(s *specs.Spec) { s.Process.Cwd, s.Process.Args = tt.cwd, []string{tt.program} })
			app, dir, err := j.Process.Search.In(&files{tt.files}, j.Environ([]string{`Path=C:\hostbin`}, &j.Process))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				return
			}
			if app != tt.app || err != nil || dir != tt.dir {
				t.Errorf("%s in %s, %v; want %s in %s", app, dir, err, tt.app, tt.dir)
			}
		})
	}
}

// Create refuses it, although the files do not exist yet.
func TestHostProcess_InvalidProgramName_IsRefused(t *testing.T) {
	for _, program := range []string{"x.bat", "C:x", `C:\..`} {
		_, err := machine().HostProcess("c", hostProcessSpec(layered, func(s *specs.Spec) { s.Process.Args = []string{program} }), nil)
		if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "process.args[0]") {
			t.Errorf("%s: %v, want an invalid argument", program, err)
		}
	}
}
