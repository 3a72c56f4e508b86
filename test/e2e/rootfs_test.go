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

	"github.com/siloshim/siloshim/test/wine/bed"
	"github.com/siloshim/siloshim/test/workload"
)

// rooted is a containerd whose job containers have root file systems, made of layers that are directories.
type rooted struct {
	*daemon
	base   string // of the layers, a Windows path
	volume string // on the host, for mounts
}

func newRooted(t *testing.T) *rooted {
	t.Helper()
	d := newDaemon(t, "WINEGAP_DLLS="+bed.Require(t).WindowsPath(buildDLL(t, "vmcompute.dll", "dll/storage.c", "dll/image.c"))+`\`)
	r := &rooted{daemon: d, base: `C:\silo\rooted-` + newID()}
	r.volume = r.base + `\volume`
	for _, dir := range []string{`\volume`, `\layer\Files\app`, `\layer\Files\work`, `\layer\Files\var\data\old`, `\scratch`} {
		if err := os.MkdirAll(d.bed.UnixPath(r.base+dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(d.bed.UnixPath(workload.Payload), d.bed.UnixPath(r.base+`\layer\Files\app\tool.exe`)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.givenBack(t)
		_ = os.RemoveAll(d.bed.UnixPath(r.base)) // in the bed, which is thrown away
	})
	return r
}

// spec is a job container from the image, in its own words: nothing in it names a path of the host.
func (r *rooted) spec(args ...string) *specs.Spec {
	s := workload.Spec()
	s.Process.Args, s.Process.Cwd = append([]string{`app\tool`}, args...), ""
	s.Windows.LayerFolders = []string{r.base + `\layer`, r.base + `\scratch`}
	s.Mounts = []specs.Mount{{Source: r.volume, Destination: `C:\var\data`}}
	return s
}

// runs gives what a container that runs to its end prints.
func (r *rooted) runs(t *testing.T, s *specs.Spec) string {
	t.Helper()
	return strings.TrimSpace(r.ctr(t, r.runArgs(t, s, newID(), "--rm")...))
}

// givenBack fails the test if a layer is mounted, or an account is left, or a directory below C:\hpc.
func (r *rooted) givenBack(t *testing.T) {
	t.Helper()
	for _, mark := range []string{"prepared", "active"} {
		if _, err := os.Stat(r.bed.UnixPath(r.base + `\scratch\` + mark)); err == nil {
			t.Errorf("the layer is still %s", mark)
		}
	}
	for _, dir := range []string{`C:\hpc`, `C:\gap\user`} {
		entries, err := os.ReadDir(r.bed.UnixPath(dir))
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		for _, e := range entries {
			if dir == `C:\gap\user` || strings.HasPrefix(e.Name(), "c"+strconv.Itoa(os.Getpid())+"-") {
				t.Errorf("%s is left in %s", e.Name(), dir)
			}
		}
	}
}

func TestJobContainerFromAnImage(t *testing.T) {
	r := newRooted(t)
	if got := r.runs(t, r.spec("print", "from the image")); got != "from the image" {
		t.Errorf("stdout %q", got)
	}
	r.runs(t, r.spec("write", "note", "kept in the layer"))
	if text, err := os.ReadFile(r.bed.UnixPath(r.base + `\scratch\volume\note`)); err != nil || string(text) != "kept in the layer\n" {
		t.Errorf("the layer has %q, %v", text, err)
	}
	if _, err := os.Stat(r.bed.UnixPath(r.base + `\scratch\volume\var\data.shadowed\old`)); err != nil {
		t.Errorf("what the image has at the mount's place: %v", err)
	}
	if got := r.runs(t, r.spec("read", "note")); got != "kept in the layer" {
		t.Errorf("the next container reads %q", got)
	}
	r.runs(t, r.spec("write", `%CONTAINER_SANDBOX_MOUNT_POINT%\var\data\f`, "for the volume"))
	if text, err := os.ReadFile(filepath.Join(r.bed.UnixPath(r.volume), "f")); err != nil || string(text) != "for the volume\n" {
		t.Errorf("the volume has %q, %v", text, err)
	}
	s := r.spec("read", `%CONTAINER_SANDBOX_MOUNT_POINT%\var\data\f`)
	s.Mounts[0].Options = []string{"ro"} // as every pod of Kubernetes has one; Wine's Windows can show it, and no more
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

func TestJobContainersEnvironment(t *testing.T) {
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

// TestJobContainersUser: Wine has one user, so this shows who is let in, and that no account is left.
func TestJobContainersUser(t *testing.T) {
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
		r.givenBack(t)
	}
	for _, user := range []string{"nobody", `HOST\nobody`, `NT AUTHORITY\nobody`} {
		got := r.try(t, r.runArgs(t, as(user), newID(), "--rm")...)
		if got.code == 0 || !strings.Contains(got.stderr, "process.user.username") {
			t.Errorf("%s: exit %d, %s", user, got.code, got.stderr)
		}
	}
	r.nothingLeft(t)
}

// TestJobContainerIsRefused: what this Windows cannot do, and what the image does not have; nothing is left of it.
func TestJobContainerIsRefused(t *testing.T) {
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
		r.givenBack(t)
	}
	r.nothingLeft(t)
}

// TestJobContainerLivesInItsImage: exec and delete of one that runs.
func TestJobContainerLivesInItsImage(t *testing.T) {
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

// TestJobContainerAfterACrash: a shim that is killed leaves no mount and no account.
func TestJobContainerAfterACrash(t *testing.T) {
	r := newRooted(t)
	s := r.spec("sleep", "600")
	delete(s.Annotations, "microsoft.com/hostprocess-inherit-user")
	s.Process.User.Username = "Users"
	id := r.detach(t, s)
	r.killShim(t, id)
	r.bury(t, id)
}
