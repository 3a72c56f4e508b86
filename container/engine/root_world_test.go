package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// listening is a kernel that writes down what it is told to start, and what is set on its one job.
type listening struct {
	*jobtest.Kernel
	told jobobject.ProcessOptions
	set  []string
}

func (k *listening) CreateSilo(job jobobject.Handle) error {
	k.set = append(k.set, "silo")
	return k.Kernel.CreateSilo(job)
}

func (k *listening) SetLimits(job jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits, keepJobTime bool) error {
	name := part.String()
	if part == jobobject.ExtendedLimits && l.JobMemory == 0 {
		name = "kill on close"
	}
	k.set = append(k.set, name)
	return k.Kernel.SetLimits(job, part, l, keepJobTime)
}

func (k *listening) CreateProcess(job jobobject.Handle, p *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	k.told = *p
	simulated := *p
	simulated.Application, simulated.CommandLine, simulated.Token = "", "app.exe", 0 // it has no files and no users
	return k.Kernel.CreateProcess(job, &simulated)
}

// rootBed is a machine for job containers with files of their own.
type rootBed struct {
	*bed
	listen *listening
	host   engine.Engine
}

var volume = containertest.VolumeOf(`C:\scratch`)

func newRootBed(t *testing.T) *rootBed {
	b := &rootBed{bed: newBed(t)}
	b.listen = &listening{Kernel: b.kernel}
	b.kernel.Program("app.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	b.host = engine.Engine{Kernel: b.listen, Service: b.client, Storage: b.machine, Network: b.machine, Files: b.machine, Accounts: b.machine}
	b.machine.Put(volume+`bin\app.exe`, volume+`work\`, `C:\Windows\notepad.exe`)
	return b
}

// job plans a container with layers, on a host that has silos or has not.
func (b *rootBed) job(silo bool, change ...func(*specs.Spec)) *plan.HostProcess {
	b.t.Helper()
	s := &specs.Spec{
		Process:     &specs.Process{Args: []string{`bin\app`}, User: specs.User{Username: "agents"}},
		Windows:     &specs.Windows{LayerFolders: []string{`C:\layers\0`, `C:\scratch`}},
		Annotations: map[string]string{"microsoft.com/hostprocess-container": "true"},
		Mounts:      []specs.Mount{{Source: `C:\data`, Destination: `C:\var\data`}, {Source: `C:\same`, Destination: `C:\same`}},
	}
	for _, c := range change {
		c(s)
	}
	h := plan.Machine{
		Lookup: func(path string) bool { return silo && path == `C:\Windows\System32\bindfltapi.dll` },
		Root:   `C:\Windows`, Resolve: func(path string) (string, error) { return path, nil },
	}
	planned, err := h.HostProcess("c", s, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return planned
}

// start starts a program in a container.
func (b *rootBed) start(c container.Container, p *plan.Process) error {
	b.t.Helper()
	relay, err := stdio.Open(b.t.Context(), stdio.Config{})
	if err != nil {
		b.t.Fatal(err)
	}
	program := c.Process(p, relay)
	_, err = program.Start(context.Background())
	return errors.Join(err, relay.Close(), program.Close())
}

// end ends a container and looks at what it leaves.
func (b *rootBed) end(c container.Container) {
	b.t.Helper()
	if err := errors.Join(c.Terminate(b.t.Context(), container.Killed), c.Close()); err != nil {
		b.t.Error(err)
	}
	b.gone()
}

func (b *rootBed) gone() {
	b.t.Helper()
	b.kernel.Wait()
	b.settled()
	if open := b.kernel.OpenHandles(); open > 0 {
		b.t.Errorf("%d handles are open", open)
	}
	if left, err := os.ReadDir(b.dir); err != nil || len(left) > 0 {
		b.t.Errorf("left in the bundle: %v, %v", left, err)
	}
}

func (b *rootBed) ledger() string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "silo-resources.json"))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}
