package install_test

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// service is one of a [manager].
type service struct {
	needs   []string      // the services that it depends on
	slow    time.Duration // how long it starts and stops
	refuses error         // what it answers to a stop
	begin   func() error  // what it does at its start; it ends with exit code 1 if that fails

	status install.Status
	until  time.Time // the end of a pending state
	next   install.Status
}

// manager is the service manager of Windows: it refuses a stop of what is pending (1061), of what does not run (1062) and
// of what others need (1051), and a start of what is not stopped (1056). It starts nothing
// that needs what does not run (1068).
type manager struct {
	services map[string]*service
	nested   bool     // Dependents lists those of dependents, too
	log      []string // the requests that were taken
}

// add makes a service that runs.
func (m *manager) add(name string, s *service) {
	if m.services == nil {
		m.services = map[string]*service{}
	}
	s.status.State = install.Running
	m.services[name] = s
}

// at returns a service as it is now.
func (m *manager) at(name string) (*service, error) {
	s, ok := m.services[name]
	if !ok {
		return nil, fmt.Errorf("service %s: %w", name, fs.ErrNotExist)
	}
	if pending(s.status.State) && !time.Now().Before(s.until) {
		s.status = s.next
	}
	return s, nil
}

func pending(s install.State) bool { return s == install.Starting || s == install.Stopping }

func (s *service) become(now install.State, then install.Status) {
	s.status, s.next, s.until = install.Status{State: now}, then, time.Now().Add(s.slow)
}

func (m *manager) Status(name string) (install.Status, error) {
	s, err := m.at(name)
	if err != nil {
		return install.Status{}, err
	}
	return s.status, nil
}

func (m *manager) Dependents(name string) ([]string, error) {
	if _, err := m.at(name); err != nil {
		return nil, err
	}
	var list []string
	for other := range m.services {
		if s, _ := m.at(other); s.status.State == install.Stopped || !slices.Contains(s.needs, name) {
			continue
		}
		if m.nested {
			more, err := m.Dependents(other)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
		list = append(list, other)
	}
	return list, nil
}

func (m *manager) Stop(name string) error {
	s, err := m.at(name)
	if err != nil {
		return err
	}
	dependents, err := m.Dependents(name)
	switch {
	case err != nil:
		return err
	case s.status.State == install.Stopped:
		return install.ErrStopped
	case pending(s.status.State):
		return install.ErrPending
	case len(dependents) > 0:
		return install.ErrDependents
	case s.refuses != nil:
		return s.refuses
	}
	m.log = append(m.log, "stop "+name)
	s.become(install.Stopping, install.Status{})
	return nil
}

func (m *manager) Start(name string) error {
	s, err := m.at(name)
	if err != nil {
		return err
	}
	if s.status.State != install.Stopped {
		return install.ErrStarted
	}
	for _, needed := range s.needs {
		if n, err := m.at(needed); err != nil || n.status.State != install.Running {
			return fmt.Errorf("start service %s: the dependency service failed to start (1068): %w", name, err)
		}
	}
	m.log = append(m.log, "start "+name)
	then := install.Status{State: install.Running}
	if s.begin != nil && s.begin() != nil {
		then = install.Status{State: install.Stopped, ExitCode: 1}
	}
	s.become(install.Starting, then)
	return nil
}
