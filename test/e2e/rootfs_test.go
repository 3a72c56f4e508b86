package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// rooted is a containerd whose job containers have root file systems, made of layers, which are directories.
type rooted struct {
	*daemon
	base   string // of the layers, a Windows path
	volume string // on the host, for mounts
}

func newRooted(t *testing.T) *rooted {
	t.Helper()
	d := newDaemon(t, "WINEGAP_DLLS="+testenv.Require(t).WindowsPath(buildDLL(t, "vmcompute.dll", "dll/storage.c", "dll/image.c"))+`\`)
	r := &rooted{daemon: d, base: `C:\silo\rooted-` + newID()}
	r.volume = r.base + `\volume`
	for _, dir := range []string{`\volume`, `\layer\Files\app`, `\layer\Files\work`, `\layer\Files\var\data\old`, `\scratch`} {
		if err := os.MkdirAll(d.wine.UnixPath(r.base+dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(d.wine.UnixPath(workload.Payload), d.wine.UnixPath(r.base+`\layer\Files\app\tool.exe`)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.released(t)
		_ = os.RemoveAll(d.wine.UnixPath(r.base)) // in the test environment, which is disposable
	})
	return r
}

// spec is a job container from the image. It has no path of the host.
func (r *rooted) spec(args ...string) *specs.Spec {
	s := workload.Spec()
	s.Process.Args, s.Process.Cwd = append([]string{`app\tool`}, args...), ""
	s.Windows.LayerFolders = []string{r.base + `\layer`, r.base + `\scratch`}
	s.Mounts = []specs.Mount{{Source: r.volume, Destination: `C:\var\data`}}
	return s
}

// runs runs a container and returns its output.
func (r *rooted) runs(t *testing.T, s *specs.Spec) string {
	t.Helper()
	return strings.TrimSpace(r.ctr(t, r.runArgs(t, s, newID(), "--rm")...))
}

// released fails the test if a layer is mounted, or if an account or a directory below C:\hpc remains.
func (r *rooted) released(t *testing.T) {
	t.Helper()
	for _, mark := range []string{"prepared", "active"} {
		if _, err := os.Stat(r.wine.UnixPath(r.base + `\scratch\` + mark)); err == nil {
			t.Errorf("the layer is still %s", mark)
		}
	}
	for _, dir := range []string{`C:\hpc`, `C:\gap\user`} {
		entries, err := os.ReadDir(r.wine.UnixPath(dir))
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		for _, e := range entries {
			if dir == `C:\gap\user` || strings.HasPrefix(e.Name(), "c"+strconv.Itoa(os.Getpid())+"-") {
				t.Errorf("%s remains in %s", e.Name(), dir)
			}
		}
	}
}

func TestImageContainer_FilesAndMounts_AreVisible(t *testing.T) {
	r := newRooted(t)
	if got := r.runs(t, r.spec("print", "from the image")); got != "from the image" {
		t.Errorf("stdout %q", got)
	}
	r.runs(t, r.spec("write", "note", "kept in the layer"))
	if text, err := os.ReadFile(r.wine.UnixPath(r.base + `\scratch\volume\note`)); err != nil || string(text) != "kept in the layer\n" {
		t.Errorf("the layer has %q, %v", text, err)
	}
	if _, err := os.Stat(r.wine.UnixPath(r.base + `\scratch\volume\var\data.shadowed\old`)); err != nil {
		t.Errorf("what the image has at the mount's place: %v", err)
	}
	if got := r.runs(t, r.spec("read", "note")); got != "kept in the layer" {
		t.Errorf("the next container reads %q", got)
	}
	r.runs(t, r.spec("write", `%CONTAINER_SANDBOX_MOUNT_POINT%\var\data\f`, "for the volume"))
	if text, err := os.ReadFile(filepath.Join(r.wine.UnixPath(r.volume), "f")); err != nil || string(text) != "for the volume\n" {
		t.Errorf("the volume has %q, %v", text, err)
	}
	s := r.spec("read", `%CONTAINER_SANDBOX_MOUNT_POINT%\var\data\f`)
	s.Mounts[0].Options = []string{"ro"} // every pod of Kubernetes has such a mount; on Wine it is writable
	if got := r.runs(t, s); got != "for the volume" {
		t.Errorf("a read-only mount has %q", got)
	}
	s = r.spec("cwd")
	s.Process.Cwd = `C:\hpc\work`
	if got := r.runs(t, s); !strings.HasPrefix(got, `C:\hpc\c`) || !strings.HasSuffix(got, `\work`) {
		t.Errorf("working directory %q", got)
	}
	r.nothingLeft(t)
}

func TestImageContainer_Environment_NamesItsRoot(t *testing.T) {
	r := newRooted(t)
	env := map[string]string{}
	s := r.spec("env")
	s.Process.Env = []string{`CONFIG=%CONTAINER_SANDBOX_MOUNT_POINT%\etc`}
	if err := json.Unmarshal([]byte(r.runs(t, s)), &env); err != nil {
		t.Fatal(err)
	}
	root, slash := strings.CutSuffix(env["CONTAINER_SANDBOX_MOUNT_POINT"], `\`)
	if !slash || !strings.HasPrefix(root, `C:\hpc\c`) || env["CONFIG"] != root+`\etc` {
		t.Errorf("root %q, CONFIG=%q", root, env["CONFIG"])
	}
	path := env["PATH"] + env["Path"]
	if !slices.Contains(strings.Split(path, ";"), root) {
		t.Errorf("%s is not in PATH %q", root, path)
	}
}

// Wine has one user, so this shows which accounts are accepted, and that no account remains.
func TestImageContainer_Users_LogOnAndAreRemoved(t *testing.T) {
	r := newRooted(t)
	as := func(user string) *specs.Spec {
		s := r.spec("print", "in")
		delete(s.Annotations, "microsoft.com/hostprocess-inherit-user")
		s.Process.User.Username = user
		return s
	}
	for _, user := range []string{`NT AUTHORITY\SYSTEM`, `nt authority\Local Service`, "NetworkService", "Users", `BUILTIN\Administrators`} {
		if got := r.runs(t, as(user)); got != "in" {
			t.Errorf("%s: stdout %q", user, got)
		}
		r.released(t)
	}
	for _, user := range []string{"nosuch", `HOST\nosuch`, `NT AUTHORITY\nosuch`} {
		got := r.try(t, r.runArgs(t, as(user), newID(), "--rm")...)
		if got.code == 0 || !strings.Contains(got.stderr, "process.user.username") {
			t.Errorf("%s: exit %d, %s", user, got.code, got.stderr)
		}
	}
	r.nothingLeft(t)
}

// Features that this Windows lacks, and files that the image lacks, are refused. Nothing of the container remains.
func TestImageContainer_Unsupported_RefusedAndReleased(t *testing.T) {
	r := newRooted(t)
	for want, change := range map[string]func(*specs.Spec){
		"process.args[0]":       func(s *specs.Spec) { s.Process.Args = []string{"gone"} },
		"process.cwd":           func(s *specs.Spec) { s.Process.Cwd = `C:\gone` },
		"mounts[0].source":      func(s *specs.Spec) { s.Mounts[0].Source = `C:\gone` },
		"mounts[0].destination": func(s *specs.Spec) { s.Mounts[0].Destination = `C:\..\Windows` },
		"a mount cannot be inside another": func(s *specs.Spec) {
			s.Mounts = append(s.Mounts, specs.Mount{Source: r.volume, Destination: `C:\var\data\in`})
		},
	} {
		s := r.spec("print", "no")
		change(s)
		got := r.try(t, r.runArgs(t, s, newID(), "--rm")...)
		if got.code == 0 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit %d, %s", want, got.code, got.stderr)
		}
		r.released(t)
	}
	r.nothingLeft(t)
}

// An exec starts in the root of a running container, which is then deleted.
func TestImageContainer_Exec_RunsInItsRoot(t *testing.T) {
	r := newRooted(t)
	id := r.detach(t, r.spec("sleep", "600"))
	if got := r.ctr(t, "task", "exec", "--exec-id", "e", "--cwd", "/work", id, "/app/tool", "cwd"); strings.TrimSpace(got) != `C:\hpc\`+id+`\work` {
		t.Errorf("exec in %q", got)
	}
	if got := r.try(t, "task", "exec", "--exec-id", "f", id, "gone"); got.code == 0 || !strings.Contains(got.stderr, "gone") {
		t.Errorf("exec of what is not there: exit %d, %s", got.code, got.stderr)
	}
	r.remove(t, id)
	r.nothingLeft(t)
}

// After the shim was killed no mount and no account remain.
func TestImageContainer_ShimKilled_NothingRemains(t *testing.T) {
	r := newRooted(t)
	s := r.spec("sleep", "600")
	delete(s.Annotations, "microsoft.com/hostprocess-inherit-user")
	s.Process.User.Username = "Users"
	id := r.detach(t, s)
	r.killShim(t, id)
	r.removeAfterCrash(t, id)
}
