package hcs_test

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// environment is a service with the [hcstest.Workload] in its containers.
type environment struct {
	client      *hcs.Client
	document    schema.ComputeSystem // of a container that this service can make
	application string               // path of the workload's image inside
	variables   map[string]string    // environment variables that the workload needs
	simulated   *hcstest.Service     // nil for a real service
}

// simulated is the environment of a new simulated service. The test fails if at its end
// handles are open, calls pending, or the service was misused.
func simulated(t testing.TB) environment {
	t.Helper()
	s := hcstest.New()
	s.Program("workload.exe", hcstest.Workload)
	c := &hcs.Client{Service: s}
	t.Cleanup(func() {
		s.Wait()
		hcstest.Settled(t, s, c)
	})
	return environment{client: c, document: hcstest.Container(), application: `C:\bin\workload.exe`, simulated: s}
}

// oldCodes is a simulated service that fails with the codes of older versions.
func oldCodes(t testing.TB) environment {
	e := simulated(t)
	e.simulated.OldCodes()
	return e
}

// computeCore is the environment of this machine's service. What only its owner can provide is
// in the environment: SILO_HCSTEST_DOCUMENT names a file with the document of a
// container whose layers are mounted, and SILO_HCSTEST_APPLICATION is this test
// binary's path inside. The test is skipped where there is no service or no document.
func computeCore(t testing.TB) environment {
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
	e := environment{
		client: c, application: os.Getenv("SILO_HCSTEST_APPLICATION"), variables: map[string]string{hcstest.WorkloadVariable: "1"},
	}
	if err := schema.Unmarshal(data, &e.document); err != nil {
		t.Fatal(err)
	}
	return e
}

// id is one that no other test uses.
func (e environment) id(t testing.TB) string {
	return fmt.Sprintf("hcstest-%d-%s", os.Getpid(), strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()))
}

// create makes a system that the test's end terminates.
func (e environment) create(t testing.TB) *hcs.System {
	t.Helper()
	s, err := e.client.Create(t.Context(), e.id(t), &e.document)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeIt(t, s) })
	return s
}

// start makes a system that runs.
func (e environment) start(t testing.TB) *hcs.System {
	t.Helper()
	s := e.create(t)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// parameters describe the workload with args, none of which needs quotes, and
// with all three streams.
func (e environment) parameters(args ...string) *schema.ProcessParameters {
	p := &schema.ProcessParameters{
		CommandLine:     e.application + " " + strings.Join(args, " "),
		Environment:     map[string]string{},
		CreateStdInPipe: true, CreateStdOutPipe: true, CreateStdErrPipe: true,
	}
	maps.Copy(p.Environment, e.variables)
	return p
}

// run starts a process that the test's end closes.
func (e environment) run(t testing.TB, s *hcs.System, args ...string) *hcs.Process {
	t.Helper()
	return spawn(t, s, e.parameters(args...))
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
