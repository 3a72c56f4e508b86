package install_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// newCluster makes a node whose kubelet needs containerd, whose proxy needs kubelet, and where one service that needs
// containerd does not run.
func newCluster() *manager {
	m := &manager{}
	m.add("containerd", &service{slow: time.Second})
	m.add("kubelet", &service{needs: []string{"containerd"}, slow: 10 * time.Second})
	m.add("kube-proxy", &service{needs: []string{"kubelet"}, slow: time.Second})
	m.add("idle", &service{needs: []string{"containerd"}})
	m.services["idle"].status.State = install.Stopped
	m.add("other", &service{})
	return m
}

// restarted are the requests of one whole restart of a cluster.
var restarted = []string{
	"stop kube-proxy", "stop kubelet", "stop containerd", "start containerd", "start kubelet", "start kube-proxy",
}

func TestRestart_DependentsRun_StoppedAndStartedInOrder(t *testing.T) {
	for name, nested := range map[string]bool{"direct dependents listed": false, "all dependents listed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newCluster()
				m.nested = nested
				if err := install.Restart(t.Context(), m, "containerd"); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(restarted, m.log); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
				running(t, m, "containerd", "kube-proxy", "kubelet", "other")
			})
		})
	}
}

// running wants these services to run, and no other.
func running(t *testing.T, m *manager, want ...string) {
	t.Helper()
	var got []string
	for name := range m.services {
		if s, err := m.Status(name); err == nil && s.State == install.Running {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services that run (-want +got):\n%s", diff)
	}
}

// A service that is starting or stopping takes no request, and one that was on its way to a stop stays stopped.
func TestRestart_ServicePending_IsTriedAgain(t *testing.T) {
	for name, pending := range map[string]struct {
		service string
		now     install.State
		then    install.State
		running []string
	}{
		"containerd starts": {"containerd", install.Starting, install.Running, []string{"containerd", "kube-proxy", "kubelet", "other"}},
		"kubelet starts":    {"kubelet", install.Starting, install.Running, []string{"containerd", "kube-proxy", "kubelet", "other"}},
		"kube-proxy stops":  {"kube-proxy", install.Stopping, install.Stopped, []string{"containerd", "kubelet", "other"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newCluster()
				s := m.services[pending.service]
				s.slow = 20 * time.Second
				s.become(pending.now, install.Status{State: pending.then})
				if err := install.Restart(t.Context(), m, "containerd"); err != nil {
					t.Fatal(err)
				}
				running(t, m, pending.running...)
			})
		})
	}
}

func TestRestart_ServiceStaysPending_GivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newCluster()
		s := m.services["kubelet"]
		s.slow = 24 * time.Hour
		s.become(install.Stopping, install.Status{})
		start := time.Now()
		err := install.Restart(context.WithoutCancel(t.Context()), m, "containerd")
		if !errors.Is(err, install.ErrPending) || !strings.Contains(err.Error(), "not done within 3m0s") {
			t.Errorf("%v, want ErrPending and the bound", err)
		}
		if passed := time.Since(start); passed > 4*time.Minute {
			t.Errorf("it took %v", passed)
		}
	})
}

// Whichever service fails, what ran before runs again, with the files that were there.
func TestApply_RestartFails_ServicesRunAgain(t *testing.T) {
	broken := errors.New("broken on purpose")
	all := []string{"containerd", "kube-proxy", "kubelet"}
	for name, c := range map[string]struct {
		fault func(*world)
		want  string
		log   []string
	}{
		"containerd does not start with the new files": {
			func(w *world) {
				w.services["containerd"].begin = func() error {
					if text, err := w.dump(w.config()); err != nil || strings.Contains(known(text), "silo") {
						return broken
					}
					return nil
				}
			},
			"start service containerd: it exited with code 1",
			[]string{"stop kube-proxy", "stop kubelet", "stop containerd", "start containerd", "start containerd", "start kubelet", "start kube-proxy"},
		},
		"kubelet does not start the first time": {
			func(w *world) {
				failures := 1
				w.services["kubelet"].begin = func() error {
					failures--
					return map[bool]error{true: broken}[failures >= 0]
				}
			},
			"start service kubelet: it exited with code 1",
			slices.Concat(restarted[:5], restarted[2:]),
		},
		"containerd refuses to stop": {
			func(w *world) { w.services["containerd"].refuses = broken },
			broken.Error(),
			[]string{"stop kube-proxy", "stop kubelet", "start kubelet", "start kube-proxy"},
		},
		"kubelet refuses to stop": {
			func(w *world) { w.services["kubelet"].refuses = broken },
			broken.Error(),
			[]string{"stop kube-proxy", "start kube-proxy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, v3)
			w.add("kubelet", &service{needs: []string{"containerd"}})
			w.add("kube-proxy", &service{needs: []string{"kubelet"}})
			before := w.files(t)
			c.fault(w)
			_, err := w.install(t, install.Choices{Edit: true, Restart: true})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "by hand") {
				t.Errorf("%v: every service runs again", err)
			}
			if diff := cmp.Diff(c.log, w.log); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, w.files(t)); diff != "" {
				t.Errorf("left behind (-before +after):\n%s", diff)
			}
			running(t, &w.manager, all...)
		})
	}
}

// If the old configuration does not start either, the error names what has to be started.
func TestApply_RollbackFails_NamesStoppedServices(t *testing.T) {
	w := newWorld(t, v3)
	w.add("kubelet", &service{needs: []string{"containerd"}})
	w.services["containerd"].begin = func() error { return errors.New("broken on purpose") }
	_, err := w.install(t, install.Choices{Edit: true, Restart: true})
	if err == nil || !strings.Contains(err.Error(), "services kubelet are still stopped; start them by hand") {
		t.Errorf("%v, want the services that are left stopped", err)
	}
}

// A dependent that does not start again holds up no other, and is named.
func TestApply_DependentStaysDown_OthersRunAgain(t *testing.T) {
	w := newWorld(t, v3)
	w.add("kubelet", &service{needs: []string{"containerd"}, begin: func() error { return errors.New("broken on purpose") }})
	w.add("monitor", &service{needs: []string{"containerd"}})
	_, err := w.install(t, install.Choices{Edit: true, Restart: true})
	if err == nil || !strings.Contains(err.Error(), "services kubelet are still stopped; start them by hand") {
		t.Errorf("%v, want kubelet to be named", err)
	}
	running(t, &w.manager, "containerd", "monitor")
}

func TestPlan_Restart_NamesDependents(t *testing.T) {
	w := newWorld(t, v3)
	w.add("kubelet", &service{needs: []string{"containerd"}})
	p, err := w.node(t).Install(w.shim, install.Choices{Edit: true, Restart: true})
	if err != nil {
		t.Fatal(err)
	}
	if last := p.Changes[len(p.Changes)-1]; last.Action != "restart" || !strings.HasSuffix(last.Why, "dependent services restart, too: kubelet") {
		t.Errorf("%+v, want kubelet to be named", last)
	}
}
