package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/payload/flood"
	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// service is a containerd on a machine with an emulated Host Compute Service (HCS).
type service struct {
	*daemon
	log string // of the service, a Unix path
}

// newService starts a containerd with an emulated service.
func newService(t *testing.T, env ...string) *service {
	t.Helper()
	more, log := serviceEnv(t, testenv.Require(t))
	return &service{daemon: newDaemon(t, append(env, more...)...), log: log}
}

// serviceEnv builds the emulated service. It returns the environment for a containerd and the path of the log of calls. At
// the end of the test no network namespace may remain.
func serviceEnv(t *testing.T, wine *testenv.Env) (env []string, log string) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "hcsim.log")
	dlls := wine.WindowsPath(buildService(t)) + `\`
	namespaces := t.TempDir()
	t.Cleanup(func() {
		if left, err := os.ReadDir(namespaces); err != nil || len(left) > 0 {
			t.Errorf("%d network namespaces remain, %v", len(left), err)
		}
	})
	return []string{"WINEGAP_DLLS=" + dlls, "HCSIM_LOG=" + wine.WindowsPath(log), "HCSIM_NAMESPACES=" + wine.WindowsPath(namespaces) + `\`}, log
}

// buildDLL compiles an emulated DLL into a new directory.
func buildDLL(t *testing.T, name string, sources ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	cmd := plainDLL(t, sources...)
	cmd.Dir = "../hcsim"
	cmd.Args = append(cmd.Args, "-o", filepath.Join(dir, name))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, text)
	}
	return dir
}

// compiler compiles the emulated DLLs.
const compiler = "x86_64-w64-mingw32-gcc"

// buildService builds the emulated DLLs in a new directory.
func buildService(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := testenv.BuildComputeService(t.Context(), "../..", dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plainDLL compiles a DLL without a C library.
func plainDLL(t *testing.T, sources ...string) *exec.Cmd {
	args := append([]string{"-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-s", "-nostdlib", "-ffreestanding",
		"-fno-stack-protector", "-mno-stack-arg-probe", "-Wl,--entry=DllMain"}, sources...)
	return exec.CommandContext(t.Context(), compiler, append(args, "-lkernel32")...)
}

// spec is a Windows Server container whose init is the payload with these arguments. Its layers are new directories.
func (s *service) spec(t *testing.T, args ...string) *specs.Spec {
	t.Helper()
	base := s.layers(t)
	spec := workload.Spec(args...)
	spec.Annotations = map[string]string{}
	spec.Hostname = "box"
	spec.Windows = &specs.Windows{
		LayerFolders: []string{base + `\layer`, base + `\scratch`},
		Network:      &specs.WindowsNetwork{EndpointList: []string{"9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001"}},
		Resources:    &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: new(uint64(256 << 20))}},
	}
	return spec
}

// layers makes the directories. They must not be mounted at the end of the test.
func (s *service) layers(t *testing.T) string {
	t.Helper()
	base := `C:\silo\layers-` + newID()
	unix := s.wine.UnixPath(base)
	for _, dir := range []string{"layer", "scratch"} {
		if err := os.MkdirAll(filepath.Join(unix, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, mark := range []string{"prepared", "active"} {
			if _, err := os.Stat(filepath.Join(unix, "scratch", mark)); err == nil {
				t.Errorf("the layer is still %s", mark)
			}
		}
		_ = os.RemoveAll(unix) // in the test environment, which is disposable
	})
	return base
}

// calls lists the arguments of the service's calls of a function.
func (s *service) calls(t *testing.T, name string) (about []string) {
	t.Helper()
	text, err := os.ReadFile(s.log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			about = append(about, rest)
		}
	}
	return about
}

func TestWCOW_OutputAndExitCode_Arrive(t *testing.T) {
	s := newService(t)
	if got := s.ctr(t, s.runArgs(t, s.spec(t, "print", "hello"), newID(), "--rm")...); strings.TrimSpace(got) != "hello" {
		t.Errorf("stdout %q, want hello", got)
	}
	if r := s.try(t, s.runArgs(t, s.spec(t, "err", "sorry"), newID(), "--rm")...); strings.TrimSpace(r.stderr) != "sorry" {
		t.Errorf("stderr %q, want sorry", r.stderr)
	}
	if r := s.try(t, s.runArgs(t, s.spec(t, "exit", "7"), newID(), "--rm")...); r.code != 7 {
		t.Errorf("exit code %d, want 7\n%s", r.code, r.stderr)
	}
	documents := s.calls(t, "HcsCreateComputeSystem")
	if len(documents) != 3 {
		t.Fatalf("%d systems were made, want 3", len(documents))
	}
	_, document, _ := strings.Cut(documents[0], " ")
	var got struct {
		Container struct {
			GuestOs    struct{ HostName string }
			Storage    struct{ Path string }
			Memory     struct{ SizeInMB int }
			Networking struct{ Namespace string }
		}
	}
	if err := json.Unmarshal([]byte(document), &got); err != nil {
		t.Fatal(err)
	}
	c := got.Container
	if c.GuestOs.HostName != "box" || c.Memory.SizeInMB != 256 || c.Networking.Namespace == "" || !strings.HasPrefix(c.Storage.Path, `\\?\Volume{`) {
		t.Errorf("the service got %s", document)
	}
	s.nothingLeft(t)
}

// The service's pipes and its command line pass bytes and arguments unchanged.
func TestWCOW_StreamsAndArguments_ArriveUnchanged(t *testing.T) {
	s := newService(t)
	const size = 10 << 20
	var want bytes.Buffer
	if err := flood.Write(&want, size); err != nil {
		t.Fatal(err)
	}
	for range *floods {
		if got := s.ctr(t, s.runArgs(t, s.spec(t, "flood", strconv.Itoa(size)), newID(), "--rm")...); got != want.String() {
			t.Fatalf("%d bytes arrived of %d, or others", len(got), size)
		}
	}
	words := []string{"two words", `say "hi"`, "a&b", "%PATH%", "", `back\slash\`, `tail\\"quote`, "Grüße 世界 🚢"}
	var got []string
	out := s.ctr(t, s.runArgs(t, s.spec(t, append([]string{"args"}, words...)...), newID(), "--rm")...)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	if diff := cmp.Diff(words, got); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	s.nothingLeft(t)
}

// A running container serves exec, ps, metrics, update, kill and delete.
func TestWCOW_Running_ServesAllRequests(t *testing.T) {
	// Wine counts the storage traffic of a job only if it is switched on.
	for name, env := range map[string]string{"in-process": "WINEGAP=peer", "by the service": "HCSIM=sealed"} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, env)
			id := s.detach(t, s.spec(t, "sleep", "600"))
			if r := s.try(t, "task", "exec", "--exec-id", "e1", "--cwd", `C:\`, id, workload.Payload, "say", "5", "from inside"); r.code != 5 || strings.TrimSpace(r.stdout) != "from inside" {
				t.Errorf("exec: %+v, want code 5 and its output", r)
			}
			const size = 1 << 20
			words := bytes.Repeat([]byte("0123456789abcde\n"), size/16)
			cat := s.Ctr(t.Context(), "task", "exec", "--exec-id", "e2", id, workload.Payload, "cat")
			cat.Stdin = bytes.NewReader(words)
			if r := run(t, cat); r.code != 0 || r.stdout != string(words) {
				t.Errorf("exec of cat: exit %d, %d of %d bytes came back: %s", r.code, len(r.stdout), size, r.stderr)
			}
			row := s.row(t, id)
			if len(row) < 3 || row[2] != "RUNNING" {
				t.Fatalf("task ls shows %v, want RUNNING", row)
			}
			if ps := s.ctr(t, "task", "ps", id); !strings.Contains(ps, row[1]) {
				t.Errorf("init %s is not among\n%s", row[1], ps)
			}
			if m := s.memory(t, id); m.Commit == 0 {
				t.Errorf("metrics %+v, want the memory of a program that runs", m)
			}
			queries := len(s.calls(t, "HcsGetComputeSystemProperties"))
			if name == "in-process" && queries > 0 {
				t.Errorf("the service was queried for properties %d times, want none", queries)
			}
			if name != "in-process" && queries == 0 {
				t.Error("the service was not queried, although the silo cannot be opened")
			}
			s.remove(t, id)
			s.nothingLeft(t)
		})
	}
}

// After the shim was killed no layer is mounted.
func TestWCOW_ShimKilled_LayersAreReleased(t *testing.T) {
	s := newService(t)
	id := s.detach(t, s.spec(t, "sleep", "600"))
	s.killShim(t, id)
	s.removeAfterCrash(t, id)
}
