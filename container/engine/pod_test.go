package engine_test

import (
	"errors"
	"testing"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
)

var webPod = podinfo.Pod{Name: "web", Namespace: "shop", UID: "u", Container: "app", Type: "container", Sandbox: "p"}

// makers make a container of each kind in a pod, by the key of the pod.
func makers(t *testing.T) map[string]func(env *environment) (container.Container, error) {
	return map[string]func(env *environment) (container.Container, error){
		"ns/c": func(env *environment) (container.Container, error) {
			e := engine.Engine{Kernel: env.kernel, Pods: env.machine}
			return e.HostProcess(t.Context(), "ns", "c", env.dir, &plan.HostProcess{InheritUser: true, Pod: webPod})
		},
		"c": func(env *environment) (container.Container, error) {
			e := engine.Engine{Kernel: env.kernel, Service: env.client, Storage: env.machine, Network: env.machine, Pods: env.machine}
			planned := env.plan()
			planned.Pod = webPod
			return e.WCOW(t.Context(), "c", env.dir, planned)
		},
	}
}

func TestEngine_ContainerOfAPod_IsPublishedUntilClose(t *testing.T) {
	for key, create := range makers(t) {
		t.Run(key, func(t *testing.T) {
			env := newEnvironment(t)
			c, err := create(env)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := env.machine.Read(key); err != nil || got != webPod {
				t.Errorf("the pod is %+v, %v; want %+v", got, err, webPod)
			}
			if err := errors.Join(c.Terminate(t.Context(), container.Killed), c.Close()); err != nil {
				t.Error(err)
			}
			if held := env.machine.Held(); len(held) > 0 {
				t.Errorf("left: %v", held)
			}
		})
	}
}

func TestEngine_PodNotPublished_ContainerRuns(t *testing.T) {
	for key, create := range makers(t) {
		t.Run(key, func(t *testing.T) {
			env := newEnvironment(t)
			env.machine.Fail("Publish", 0, 1, errors.New("access is denied"))
			c, err := create(env)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(c.Terminate(t.Context(), container.Killed), c.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEngine_ContainerOfAPodFails_NothingIsPublished(t *testing.T) {
	env := newEnvironment(t)
	taken, err := jobobject.Create(jobobject.Options{Name: `Global\silo/ns/c`, Kernel: env.kernel})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() // of the simulated kernel
	env.machine.Fail("Activate", 0, 1, errors.New("no such disk"))
	for key, create := range makers(t) {
		if _, err := create(env); err == nil {
			t.Errorf("%s was made", key)
		}
	}
	if held := env.machine.Held(); len(held) > 0 {
		t.Errorf("left: %v", held)
	}
}
