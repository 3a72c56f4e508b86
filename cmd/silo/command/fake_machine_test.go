package command_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/command"
	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

var update = flag.Bool("update", false, "write the goldens")

// world is a simulated machine with silo on it.
type world struct {
	*jobtest.Kernel
	app    *command.App
	pods   *containertest.Machine
	dir    string
	Stdout bytes.Buffer
	Stderr bytes.Buffer
}

// ids are the containers that may be there, as the simulated kernel does not list its jobs.
var ids = []string{"default/web", "default/db", "silo/mine", "silo/other", "k8s.io/" + webID}

// webID is an id as a kubelet makes them.
var webID = strings.Repeat("0123456789abcdef", 4)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Kernel: jobtest.New(), pods: new(containertest.Machine), dir: t.TempDir()}
	w.Processors(8)
	w.app = &command.App{
		Kernel: w.Kernel, Service: &hcs.Client{},
		Machine: limit.Machine{Groups: []int{8}, MHz: 2400, Nodes: []limit.Node{{Mask: 0xF}, {Mask: 0xF0}}},
		Node:    node.Node{Names: w.names, Records: node.Records{Dir: filepath.Join(w.dir, "state"), Kernel: supervisors{w.Kernel}}, Pods: w.pods},
		Host: plan.Machine{Processors: 8, Root: `C:\Windows`, Lookup: func(path string) bool {
			return strings.HasPrefix(path, `C:\bin\`) && !strings.Contains(path, "missing")
		}},
		Stdout: &w.Stdout, Stderr: &w.Stderr, Env: []string{"PATH=C:\\bin", "SECRET=hush"}, Dir: `C:\work`, Now: w.Now, Pause: w.Advance,
	}
	return w
}

// supervisors is the kernel that records are checked with. The process of the test is one of its processes.
type supervisors struct{ *jobtest.Kernel }

// thisProcess is its handle.
const thisProcess = jobobject.Handle(1 << 40)

func (k supervisors) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	if pid == uint32(os.Getpid()) {
		return thisProcess, nil
	}
	return k.Kernel.OpenProcess(pid, access)
}

func (k supervisors) ExitCode(h jobobject.Handle) (uint32, bool, error) {
	if h == thisProcess {
		return 0, false, nil
	}
	return k.Kernel.ExitCode(h)
}

func (k supervisors) ProcessTimes(h jobobject.Handle) (jobobject.ProcessTimes, error) {
	if h == thisProcess {
		return jobobject.ProcessTimes{Created: jobtest.Epoch}, nil
	}
	return k.Kernel.ProcessTimes(h)
}

func (k supervisors) CloseHandle(h jobobject.Handle) error {
	if h == thisProcess {
		return nil
	}
	return k.Kernel.CloseHandle(h)
}

func (w *world) names() ([]string, error) {
	var list []string
	for _, id := range ids {
		if _, ok := w.Limits(`Global\silo/` + id); ok {
			list = append(list, `\BaseNamedObjects\silo/`+id)
		}
	}
	return list, nil
}

// silo runs one command line and returns its exit code; Stdout and Stderr have what it printed.
func (w *world) silo(t *testing.T, args ...string) int {
	t.Helper()
	w.Stdout.Reset()
	w.Stderr.Reset()
	return w.app.Main(t.Context(), "silo.exe", args)
}

// container makes a job with one process, as another program does.
func (w *world) container(t *testing.T, id string) (*jobobject.Job, *jobtest.Proc) {
	t.Helper()
	job, err := jobobject.Create(jobobject.Options{Name: `Global\silo/` + id, KillOnClose: true, TrackIO: true, Kernel: w.Kernel})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = job.Close() })
	p, err := w.Place(`Global\silo/`+id, "app.exe", jobtest.Self)
	if err != nil {
		t.Fatal(err)
	}
	return job, p
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), -update writes it:\n%s", name, diff)
	}
}
