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
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// environment has a simulated machine, kernel and compute service.
type environment struct {
	t       *testing.T
	service *hcstest.Service
	client  *hcs.Client
	kernel  *jobtest.Kernel
	machine *containertest.Machine
	dir     string
}

func newEnvironment(t *testing.T) *environment {
	env := &environment{t: t, service: hcstest.New(), kernel: jobtest.New(), machine: &containertest.Machine{}, dir: t.TempDir()}
	env.client = &hcs.Client{Service: env.service}
	env.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
		<-p.Done()
		return 0
	})
	return env
}

// plan plans a container that runs app.exe.
func (env *environment) plan(change ...func(*specs.Spec)) *plan.WCOW {
	env.t.Helper()
	s := &specs.Spec{
		Process: &specs.Process{Args: []string{"app.exe"}, Cwd: `C:\`},
		Windows: &specs.Windows{LayerFolders: []string{`C:\layers\0`, `C:\scratch`}},
	}
	for _, c := range change {
		c(s)
	}
	planned, err := plan.Machine{Resolve: func(path string) (string, error) { return path, nil }}.WCOW("c", s, nil)
	if err != nil {
		env.t.Fatal(err)
	}
	return planned
}

func (env *environment) create(planned *plan.WCOW) (container.Container, error) {
	h := engine.Engine{Kernel: env.kernel, Service: env.client, Storage: env.machine, Network: env.machine}
	return h.WCOW(env.t.Context(), "c", env.dir, planned)
}

// start makes a container and starts its init process.
func (env *environment) start(planned *plan.WCOW) (container.Container, container.Process) {
	env.t.Helper()
	c, err := env.create(planned)
	if err != nil {
		env.t.Fatal(err)
	}
	relay, err := stdio.Open(env.t.Context(), stdio.Config{Terminal: planned.Process.Terminal})
	if err != nil {
		env.t.Fatal(err)
	}
	init := c.Process(&planned.Process, relay)
	if _, err := init.Start(context.Background()); err != nil {
		env.t.Fatal(err)
	}
	relay.Start()
	env.t.Cleanup(func() {
		for _, close := range []func() error{relay.Close, init.Close, c.Close} {
			if err := close(); err != nil {
				env.t.Error(err)
			}
		}
		env.checkReleased()
	})
	return c, init
}

// program starts a process; close closes it and its streams.
func (env *environment) program(c container.Container, p *plan.Process) (program container.Process, close func() error, err error) {
	relay, err := stdio.Open(env.t.Context(), stdio.Config{})
	if err != nil {
		return nil, nil, err
	}
	program = c.Process(p, relay)
	close = func() error { return errors.Join(relay.Close(), program.Close()) }
	if _, err = program.Start(context.Background()); err == nil {
		relay.Start()
	}
	return program, close, err
}

// checkReleased checks that nothing is left.
func (env *environment) checkReleased() {
	env.t.Helper()
	env.service.Wait()
	hcstest.Settled(env.t, env.service, env.client)
	if held := env.machine.Held(); len(held) > 0 {
		env.t.Errorf("left on the machine: %v", held)
	}
}

// end terminates a container as its task does.
func (env *environment) end(c container.Container) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.TerminateTimeout())
	defer cancel()
	return c.Terminate(ctx, container.Killed)
}

// siloName is the name of the job of the container c.
const siloName = `\Container_c`

// silo makes the job of a container, as the service does.
func (env *environment) silo() *jobobject.Job {
	env.t.Helper()
	job, err := jobobject.Create(jobobject.Options{Name: siloName, TrackIO: true, Kernel: env.kernel})
	if err != nil {
		env.t.Fatal(err)
	}
	env.t.Cleanup(func() { _ = job.Close() }) // it has no members
	return job
}

// pids lists the pids of a container's processes.
func pids(c container.Container) (list []uint32, err error) {
	processes, err := c.Processes(context.Background())
	for i := range processes {
		list = append(list, processes[i].Pid)
	}
	return list, err
}

// recordingKernel records the last process that was started, and the limits that were set.
type recordingKernel struct {
	*jobtest.Kernel
	process jobobject.ProcessOptions
	limits  []string
}

func (k *recordingKernel) CreateSilo(job jobobject.Handle) error {
	k.limits = append(k.limits, "silo")
	return k.Kernel.CreateSilo(job)
}

func (k *recordingKernel) SetLimits(job jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits, keepJobTime bool) error {
	name := part.String()
	if part == jobobject.ExtendedLimits && l.JobMemory == 0 {
		name = "kill on close"
	}
	k.limits = append(k.limits, name)
	return k.Kernel.SetLimits(job, part, l, keepJobTime)
}

func (k *recordingKernel) CreateProcess(job jobobject.Handle, p *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	k.process = *p
	simulated := *p
	simulated.Application, simulated.CommandLine, simulated.Token = "", "app.exe", 0 // the simulated kernel has neither files nor users
	return k.Kernel.CreateProcess(job, &simulated)
}

// hostProcessEnvironment is an environment for job containers with a root file system.
type hostProcessEnvironment struct {
	*environment
	recorder *recordingKernel
	engine   engine.Engine
}

var volume = containertest.VolumeOf(`C:\scratch`)

func newHostProcessEnvironment(t *testing.T) *hostProcessEnvironment {
	env := &hostProcessEnvironment{environment: newEnvironment(t)}
	env.recorder = &recordingKernel{Kernel: env.kernel}
	env.kernel.Program("app.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	env.engine = engine.Engine{Kernel: env.recorder, Service: env.client, Storage: env.machine, Network: env.machine, Files: env.machine, Accounts: env.machine}
	env.machine.Put(volume+`bin\app.exe`, volume+`work\`, `C:\Windows\notepad.exe`)
	return env
}

// job plans a container with layers, with or without a silo.
func (env *hostProcessEnvironment) job(silo bool, change ...func(*specs.Spec)) *plan.HostProcess {
	env.t.Helper()
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
		env.t.Fatal(err)
	}
	return planned
}

// start starts a process and closes it.
func (env *hostProcessEnvironment) start(c container.Container, p *plan.Process) error {
	env.t.Helper()
	relay, err := stdio.Open(env.t.Context(), stdio.Config{})
	if err != nil {
		env.t.Fatal(err)
	}
	program := c.Process(p, relay)
	_, err = program.Start(context.Background())
	return errors.Join(err, relay.Close(), program.Close())
}

// end ends a container and checks that nothing is left.
func (env *hostProcessEnvironment) end(c container.Container) {
	env.t.Helper()
	if err := errors.Join(c.Terminate(env.t.Context(), container.Killed), c.Close()); err != nil {
		env.t.Error(err)
	}
	env.checkEmpty()
}

func (env *hostProcessEnvironment) checkEmpty() {
	env.t.Helper()
	env.kernel.Wait()
	env.checkReleased()
	if open := env.kernel.OpenHandles(); open > 0 {
		env.t.Errorf("%d handles are open", open)
	}
	if left, err := os.ReadDir(env.dir); err != nil || len(left) > 0 {
		env.t.Errorf("left in the bundle: %v, %v", left, err)
	}
}

func (env *hostProcessEnvironment) record() string {
	env.t.Helper()
	text, err := os.ReadFile(filepath.Join(env.dir, "silo-resources.json"))
	if err != nil {
		env.t.Fatal(err)
	}
	return string(text)
}
