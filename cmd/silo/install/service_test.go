package install_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

const containerdService = "containerd"

// services is a service manager: it refuses to stop what others need, and takes no control of a service that is on the
// way into another state.
type services map[string]*service

type service struct {
	running bool
	needs   string // the service that has to run for this one
	pending int    // how many more calls find it on the way
	broken  error  // of its next start
	slow    int    // how many calls find it on the way after a control
	starts  int
}

func (s services) find(name string) (*service, error) {
	if one := s[name]; one != nil {
		return one, nil
	}
	return nil, fs.ErrNotExist
}

// onTheWay counts a call that finds the service between two states.
func (s *service) onTheWay() bool {
	if s.pending == 0 {
		return false
	}
	s.pending--
	return true
}

func (s services) dependents(name string) (list []string) {
	for other, one := range s {
		if one.needs == name && one.running {
			list = append(append(list, s.dependents(other)...), other)
		}
	}
	return list
}

func (s services) stop(name string) error {
	one, err := s.find(name)
	switch {
	case err != nil:
		return err
	case one.onTheWay():
		return install.ErrPending
	case len(s.dependents(name)) > 0:
		return install.ErrDependents
	}
	one.running, one.pending = false, one.slow
	return nil
}

func (s services) start(name string) error {
	one, err := s.find(name)
	switch {
	case err != nil:
		return err
	case one.onTheWay():
		return install.ErrPending
	case one.needs != "" && !s[one.needs].running:
		return errors.New("a service that it needs does not run")
	case one.broken != nil:
		err, one.broken = one.broken, nil
		return err
	}
	one.running, one.pending = true, one.slow
	one.starts++
	return nil
}

func (s services) state(name string) (install.State, error) {
	one, err := s.find(name)
	if err != nil || one.onTheWay() {
		return install.State{}, err
	}
	return install.State{Running: one.running, Stopped: !one.running}, nil
}

// running lists the services that run.
func (s services) running() (list []string) {
	for name, one := range s {
		if one.running {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// newNode makes a machine whose kubelet needs containerd, and whose proxy needs kubelet. A third service needs
// containerd, and does not run.
func newNode(t *testing.T) *world {
	w := newWorld(t, v3)
	w.services["kubelet"] = &service{running: true, needs: containerdService}
	w.services["proxy"] = &service{running: true, needs: "kubelet"}
	w.services["spare"] = &service{needs: containerdService}
	return w
}

var edited = install.Choices{Edit: true, Restart: true}

func TestRestart_Dependents_StoppedAndStartedAgain(t *testing.T) {
	w := newNode(t)
	before := w.services.running()
	if _, err := w.install(t, edited); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.services.running()); diff != "" {
		t.Errorf("services that run (-before +after):\n%s", diff)
	}
	for _, name := range before {
		if n := w.services[name].starts; n != 1 {
			t.Errorf("%s was started %d times, want once", name, n)
		}
	}
}

// TestRestart_PendingService_TriedAgain has every service take its time between two states.
func TestRestart_PendingService_TriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNode(t)
		for _, one := range w.services {
			one.pending, one.slow = 3, 3
		}
		if _, err := w.install(t, edited); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(w.services.running(), " "); got != "containerd kubelet proxy" {
			t.Errorf("services that run: %s", got)
		}
	})
}

// TestRestart_Failure_DependentsRunAgain: what cannot be started is started with what it had before, and so are the
// services that need it.
func TestRestart_Failure_DependentsRunAgain(t *testing.T) {
	broken := errors.New("broken")
	for _, name := range []string{containerdService, "kubelet", "proxy"} {
		t.Run(name, func(t *testing.T) {
			w := newNode(t)
			w.services[name].broken = broken
			before, files := w.services.running(), w.files(t)
			if _, err := w.install(t, edited); !errors.Is(err, broken) || !strings.Contains(err.Error(), "service "+name) {
				t.Errorf("install: %v, want the failure of %s", err, name)
			}
			if diff := cmp.Diff(before, w.services.running()); diff != "" {
				t.Errorf("services that run (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(files, w.files(t)); diff != "" {
				t.Errorf("left behind (-before +after):\n%s", diff)
			}
		})
	}
}

// TestRestart_HungService_NamesWhatIsStopped ends with ctx and says which services do not run.
func TestRestart_HungService_NamesWhatIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNode(t)
		w.services[containerdService].pending = 1 << 30
		p, err := w.node(t).Install(w.shim, edited)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = p.Apply(ctx)
		if !errors.Is(err, install.ErrPending) || !strings.Contains(err.Error(), "not started again: proxy, kubelet") {
			t.Errorf("install: %v, want the pending service and those that are stopped", err)
		}
	})
}
