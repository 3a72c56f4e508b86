package host_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
)

// whole is a container with all that one can have.
func whole(s *specs.Spec) {
	s.Windows.Network = &specs.WindowsNetwork{EndpointList: []string{"9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001"}}
	s.Windows.CredentialSpec = `{"CmsPlugins":["ActiveDirectory"]}`
}

// program starts a program inside; close gives back what it has.
func (b *bed) program(c shim.Container, p *spec.Process) (program task.Program, close func() error, err error) {
	relay, err := stdio.Open(b.t.Context(), stdio.Config{})
	if err != nil {
		return nil, nil, err
	}
	program = c.Program(p, relay)
	close = func() error { return errors.Join(relay.Close(), program.Close()) }
	if _, err = program.Start(); err == nil {
		relay.Start()
	}
	return program, close, err
}

// life creates a container, starts it and an exec, asks it things, stops and deletes it. It goes on to the end whatever
// fails, as a task does that is to be deleted, and returns the errors of all steps; one that fails once on the way down
// is tried again.
func (b *bed) life() (err error) {
	note := func(e error) { err = errors.Join(err, e) }
	plan := b.plan(whole)
	c, e := b.create(plan)
	if e != nil {
		return e
	}
	init, close, e := b.program(c, &plan.Process)
	note(e)
	if e == nil {
		note(b.used(c, init, plan))
	}
	note(b.end(c))
	if e = c.Close(); e != nil {
		note(errors.Join(e, c.Close()))
	}
	note(close())
	return err
}

// used is what is done to a container that runs.
func (b *bed) used(c shim.Container, init task.Program, plan *spec.Server) (err error) {
	exec, e := plan.Exec(&specs.Process{Args: []string{"app.exe"}, Cwd: `C:\`})
	if e != nil {
		return e
	}
	second, close, e := b.program(c, exec)
	err = errors.Join(e)
	if e == nil {
		err = errors.Join(err, second.Signal(task.SIGTERM), second.Signal(task.SIGKILL))
	}
	_, failed := c.Stats(b.t.Context(), time.Now()) // a metric that is missing is no failure
	_, e = c.Pids()
	limit := uint64(64 << 20)
	update := c.(shim.Updater).Update(b.t.Context(), &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: &limit}}, nil)
	return errors.Join(err, failed, e, update, init.Signal(task.SIGKILL), close())
}

// steps are the calls that can fail, by what an error of each has to say at least.
var steps = map[string]string{
	"LayerID": "name layer", "Activate": "activate layer", "Prepare": "prepare layer", "Volume": "find volume",
	"Unprepare": "", "Deactivate": "", "DeleteNamespace": "", "RemoveEndpoint": "", // tried again until they succeed
	"CreateNamespace": "create network namespace", "AddEndpoint": "add endpoint",

	"ModifyServiceSettings": "credentials", "ServiceProperties": "query credentials",
	"CreateSystem": "create system", "SetSystemCallback": "create system", "StartSystem": "start system",
	"CreateProcess": "create process", "SetProcessCallback": "create process",
	"SignalProcess": "signal process", "TerminateProcess": "process",
	"ModifySystem": "update", "SystemProperties": "query system",
	"ShutDownSystem": "", "TerminateSystem": "terminate system", // an order that fails is followed by force
}

// calls counts the calls of a method so far.
func (b *bed) calls(method string) int {
	n := b.service.Calls(method)
	for _, call := range b.machine.Calls() {
		if strings.HasPrefix(call, method+" ") {
			n++
		}
	}
	return n
}

// TestServerEveryFailure fails every call of a container's life in turn, at the call and at the operation behind it:
// the error names the step, and nothing is left.
func TestServerEveryFailure(t *testing.T) {
	counts := map[string]int{}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		if err := b.life(); err != nil {
			t.Fatal(err)
		}
		for call := range steps {
			if counts[call] = b.calls(call); counts[call] == 0 && call != "TerminateSystem" && call != "ShutDownSystem" {
				t.Errorf("a life has no %s", call)
			}
		}
		b.settled()
	})
	boom := errors.New("boom")
	injected := 0
	for call, words := range steps {
		for skip := range counts[call] {
			for _, late := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					b := newBed(t)
					b.machine.Fail(call, skip, 1, boom)
					b.service.Fault(call, hcstest.Fault{Skip: skip, Late: late, Err: hcs.NoResources})
					err := b.life()
					told := err != nil && strings.Contains(err.Error(), words) && (errors.Is(err, boom) || errors.Is(err, hcs.NoResources))
					// Statistics that fail say so in themselves, and what is given back is tried again.
					quiet := words == "" || call == "SystemProperties" || call == "ModifyServiceSettings" && skip > 0
					if !told && (!quiet || err != nil) {
						t.Errorf("%s %d, late %v: error %v, want one that names %q", call, skip, late, err, words)
					}
					b.settled()
				})
				injected++
			}
		}
	}
	t.Logf("%d failures injected", injected)
}
