package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
)

// withEverything adds everything that a container can have.
func withEverything(s *specs.Spec) {
	s.Windows.Network = &specs.WindowsNetwork{EndpointList: []string{"9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001"}}
	s.Windows.CredentialSpec = `{"CmsPlugins":["ActiveDirectory"]}`
}

// lifecycle creates a container, starts it and an exec, uses, stops and closes it. Like a task, it continues after an
// error and returns the errors of all steps. It tries a failed close again.
func (env *environment) lifecycle() (err error) {
	note := func(e error) { err = errors.Join(err, e) }
	planned := env.plan(withEverything)
	c, e := env.create(planned)
	if e != nil {
		return e
	}
	init, close, e := env.program(c, &planned.Process)
	note(e)
	if e == nil {
		note(env.exercise(c, init, planned))
	}
	note(env.end(c))
	if e = c.Close(); e != nil {
		note(errors.Join(e, c.Close()))
	}
	note(close())
	return err
}

// exercise calls every method of a running container.
func (env *environment) exercise(c container.Container, init container.Process, planned *plan.WCOW) (err error) {
	exec, e := planned.Exec(&specs.Process{Args: []string{"app.exe"}, Cwd: `C:\`})
	if e != nil {
		return e
	}
	second, close, e := env.program(c, exec)
	err = errors.Join(e)
	if e == nil {
		err = errors.Join(err, second.Signal(context.Background(), container.SIGTERM), second.Signal(context.Background(), container.SIGKILL))
	}
	_, sampled := c.Stats(env.t.Context(), time.Now())
	_, e = pids(c)
	limit := uint64(64 << 20)
	update := c.Update(env.t.Context(), &specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: &limit}}, nil)
	return errors.Join(err, sampled, e, update, init.Signal(context.Background(), container.SIGKILL), close())
}

// lifecycleCalls has the text that an error of each call must contain.
var lifecycleCalls = map[string]string{
	"LayerID": "name layer", "Activate": "activate layer", "Prepare": "prepare layer", "Volume": "find volume",
	"Unprepare": "", "Deactivate": "", "DeleteNamespace": "", "RemoveEndpoint": "", // retried until they succeed
	"CreateNamespace": "create network namespace", "AddEndpoint": "add endpoint",

	"ModifyServiceSettings": "credentials", "ServiceProperties": "query credentials",
	"CreateSystem": "create system", "SetSystemCallback": "create system", "StartSystem": "start system",
	"CreateProcess": "create process", "SetProcessCallback": "create process",
	"SignalProcess": "signal process", "TerminateProcess": "process",
	"ModifySystem": "update", "SystemProperties": "query system",
	"ShutDownSystem": "", "TerminateSystem": "terminate system", // a failed shutdown is followed by terminate
}

// calls is the number of calls of a method so far.
func (env *environment) calls(method string) int {
	n := env.service.Calls(method)
	for _, call := range env.machine.Calls() {
		if strings.HasPrefix(call, method+" ") {
			n++
		}
	}
	return n
}

// Each call of a container's life fails in turn, at the call or in its operation.
func TestWCOW_EveryCallFails_ErrorNamesStepAndNothingLeft(t *testing.T) {
	counts := map[string]int{}
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		if err := env.lifecycle(); err != nil {
			t.Fatal(err)
		}
		for call := range lifecycleCalls {
			if counts[call] = env.calls(call); counts[call] == 0 && call != "TerminateSystem" && call != "ShutDownSystem" {
				t.Errorf("the lifecycle has no call of %s", call)
			}
		}
		env.checkReleased()
	})
	boom := errors.New("boom")
	injected := 0
	for call, words := range lifecycleCalls {
		for skip := range counts[call] {
			for _, late := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					env := newEnvironment(t)
					env.machine.Fail(call, skip, 1, boom)
					env.service.Fault(call, hcstest.Fault{Skip: skip, Late: late, Err: hcs.CodeWin32NoResources})
					err := env.lifecycle()
					reported := err != nil && strings.Contains(err.Error(), words) && (errors.Is(err, boom) || errors.Is(err, hcs.CodeWin32NoResources))
					// Failed statistics are missing in the sample, and a failed release is tried again.
					quiet := words == "" || call == "SystemProperties" || call == "ModifyServiceSettings" && skip > 0
					if !reported && (!quiet || err != nil) {
						t.Errorf("%s %d, late %v: error %v, want one that names %q", call, skip, late, err, words)
					}
					env.checkReleased()
				})
				injected++
			}
		}
	}
	t.Logf("%d failures injected", injected)
}
