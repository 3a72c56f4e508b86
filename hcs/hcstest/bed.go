package hcstest

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// Bed is a service with the [Workload] in its containers.
type Bed struct {
	Client      *hcs.Client
	Document    schema.ComputeSystem // of a container that this service can make
	Application string               // path of the workload's image inside
	Environment map[string]string    // what the workload needs
	Simulated   *Service             // nil for a real service
}

// Simulated is the bed of a new simulated service. The test fails if at its end
// handles are open, calls pending, or the service was misused.
func Simulated(t testing.TB) Bed {
	t.Helper()
	s := New()
	s.Program("workload.exe", Workload)
	c := &hcs.Client{Service: s}
	t.Cleanup(func() {
		s.Wait()
		Settled(t, s, c)
	})
	return Bed{Client: c, Document: Container(), Application: `C:\bin\workload.exe`, Simulated: s}
}

// Settled fails the test if anything is left over of what c did with s.
func Settled(t testing.TB, s *Service, c *hcs.Client) {
	t.Helper()
	<-c.Idle()
	if n := s.OpenHandles(); n != 0 {
		t.Errorf("%d handles left open", n)
	}
	for _, m := range s.Misuse() {
		t.Errorf("misuse: %s", m)
	}
}

// Container is the document of a container that the simulated service makes.
func Container() schema.ComputeSystem {
	return schema.ComputeSystem{
		Owner:                             "hcstest",
		SchemaVersion:                     &schema.Version{Major: 2, Minor: 1},
		ShouldTerminateOnLastHandleClosed: true,
		Container: &schema.Container{Storage: &schema.Storage{
			Path:   `\\?\Volume{0e2d6f3a-5a0b-4c58-9d4b-2f1f9d6f5b11}\`,
			Layers: []schema.Layer{{Id: "5a4e7f0c-4d19-5c1e-8b4f-6b2f3f7a1c2d", Path: `C:\layers\1`}},
		}},
	}
}

// Real is the bed of this machine's service. What only its owner can provide is
// in the environment: SILO_HCSTEST_DOCUMENT names a file with the document of a
// container whose layers are mounted, and SILO_HCSTEST_APPLICATION is this test
// binary's path inside. Its TestMain must call [Main]. The test is skipped where
// there is no service or no document.
func Real(t testing.TB) Bed {
	t.Helper()
	c := new(hcs.Client)
	_, err := c.ServiceProperties(t.Context(), schema.ServiceBasic)
	switch {
	case errors.Is(err, hcs.ErrUnavailable) || errors.Is(err, hcs.ErrNotSupported):
		t.Skipf("there is no compute service: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	file := os.Getenv("SILO_HCSTEST_DOCUMENT")
	if file == "" {
		t.Skip("SILO_HCSTEST_DOCUMENT names no container")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b := Bed{Client: c, Application: os.Getenv("SILO_HCSTEST_APPLICATION"), Environment: map[string]string{workloadKey: "1"}}
	if err := schema.Unmarshal(data, &b.Document); err != nil {
		t.Fatal(err)
	}
	return b
}

// id is one that no other test uses.
func (b Bed) id(t testing.TB) string {
	return fmt.Sprintf("hcstest-%d-%s", os.Getpid(), strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()))
}

// create makes a system that the test's end terminates.
func (b Bed) create(t testing.TB) *hcs.System {
	t.Helper()
	s, err := b.Client.Create(t.Context(), b.id(t), &b.Document)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIt(t, s) })
	return s
}

// start makes a system that runs.
func (b Bed) start(t testing.TB) *hcs.System {
	t.Helper()
	s := b.create(t)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// parameters describe the workload with args, none of which needs quotes, and
// with all three streams.
func (b Bed) parameters(args ...string) *schema.ProcessParameters {
	p := &schema.ProcessParameters{
		CommandLine:     b.Application + " " + strings.Join(args, " "),
		Environment:     map[string]string{},
		CreateStdInPipe: true, CreateStdOutPipe: true, CreateStdErrPipe: true,
	}
	maps.Copy(p.Environment, b.Environment)
	return p
}

// run starts a process that the test's end closes.
func (b Bed) run(t testing.TB, s *hcs.System, args ...string) *hcs.Process {
	t.Helper()
	return spawn(t, s, b.parameters(args...))
}

func spawn(t testing.TB, s *hcs.System, parameters *schema.ProcessParameters) *hcs.Process {
	t.Helper()
	p, err := s.CreateProcess(t.Context(), parameters)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIt(t, p) })
	return p
}

// here waits for the line that the workload prints when it is up.
func here(t testing.TB, p *hcs.Process) {
	t.Helper()
	line, err := bufio.NewReader(p.Stdout()).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "here" {
		t.Fatalf("read %q, %v", line, err)
	}
}

// exit returns the exit code of p.
func exit(t testing.TB, p *hcs.Process) uint32 {
	t.Helper()
	code, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func closeIt(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// wantError checks that err is of class target.
func wantError(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: %v, want %v", what, err, target)
	}
}
