package service_test

import (
	"slices"
	"strings"

	types "github.com/containerd/containerd/api/types/task"
)

// model is what the Task API promises of one task, in a few lines: the reference that a walk holds the shim to. It knows
// nothing of the shim's own table.
type model struct {
	id    string
	state types.Status            // UNKNOWN is a task that there is not
	execs map[string]types.Status // PAUSED is never among them: see of
	told  []string                // the events of the latest step
}

// Answers of the API, as classes of containerd's errors.
const (
	fine         = ""
	precondition = "failed precondition"
	notFound     = "not found"
	exists       = "already exists"
	unable       = "not implemented"
)

// of is the state of init ("") or an exec, as State tells it.
func (m *model) of(exec string) types.Status {
	if exec == "" {
		return m.state
	}
	if s := m.execs[exec]; s != types.Status_RUNNING || m.state != types.Status_PAUSED {
		return s
	}
	return types.Status_PAUSED
}

func (m *model) set(exec string, s types.Status) {
	switch {
	case exec == "":
		m.state = s
	case s == types.Status_UNKNOWN:
		delete(m.execs, exec)
	default:
		m.execs[exec] = s
	}
}

func (m *model) tell(words ...string) { m.told = append(m.told, strings.Join(words, " ")) }

// name is how an exit names its process.
func (m *model) name(exec string) string {
	if exec == "" {
		return m.id
	}
	return exec
}

// isInit tells whether an event is init's last or last but one, which come after those of the execs.
func (m *model) isInit(event string) bool {
	return event == "exit "+m.id || event == "delete "+m.id+" "
}

// do takes a step and returns the answer that it must get.
func (m *model) do(s step) string {
	m.told = nil
	now := m.of(s.exec)
	if s.op == "create" {
		return m.create()
	}
	if m.state == types.Status_UNKNOWN {
		return notFound
	}
	if s.op == "exec" {
		return m.add(s.exec, now)
	}
	if now == types.Status_UNKNOWN {
		return notFound
	}
	switch s.op {
	case "start":
		return m.start(s.exec, now)
	case "kill":
		return m.kill(s.exec)
	case "kill all":
		return m.killAll()
	case "delete":
		return m.remove(s.exec, now)
	case "pause":
		return m.hold(types.Status_RUNNING, types.Status_PAUSED, "paused")
	case "resume":
		return m.hold(types.Status_PAUSED, types.Status_RUNNING, "resumed")
	case "update":
		if now == types.Status_STOPPED {
			return precondition
		}
	case "wait":
		if now != types.Status_STOPPED {
			return "no answer yet"
		}
	case "resize": // there are no terminals here
		return precondition
	}
	return fine
}

func (m *model) create() string {
	if m.state != types.Status_UNKNOWN {
		return exists
	}
	m.state, m.execs = types.Status_CREATED, map[string]types.Status{}
	m.tell("create", m.id)
	return fine
}

func (m *model) add(exec string, now types.Status) string {
	switch {
	case m.state != types.Status_RUNNING:
		return precondition
	case now != types.Status_UNKNOWN:
		return exists
	}
	m.execs[exec] = types.Status_CREATED
	m.tell("exec-added", exec)
	return fine
}

func (m *model) start(exec string, now types.Status) string {
	if now != types.Status_CREATED || exec != "" && m.state != types.Status_RUNNING {
		return precondition
	}
	m.set(exec, types.Status_RUNNING)
	if exec == "" {
		m.tell("start", m.id)
	} else {
		m.tell("exec-started", exec)
	}
	return fine
}

// kill is one with SIGKILL. With init end the execs that run, before it.
func (m *model) kill(exec string) string {
	now := m.of(exec)
	if now == types.Status_STOPPED {
		return notFound
	}
	if exec == "" && now != types.Status_CREATED {
		for _, e := range m.names() {
			if m.execs[e] == types.Status_RUNNING {
				m.stop(e)
			}
		}
	}
	m.stop(exec)
	return fine
}

func (m *model) stop(exec string) {
	m.set(exec, types.Status_STOPPED)
	m.tell("exit", m.name(exec))
}

func (m *model) killAll() string {
	for _, e := range m.names() {
		_ = m.kill(e) // one that has stopped is no matter
	}
	return m.kill("")
}

func (m *model) remove(exec string, now types.Status) string {
	if now != types.Status_CREATED && now != types.Status_STOPPED {
		return precondition
	}
	if exec == "" {
		for _, e := range m.names() {
			if m.execs[e] == types.Status_CREATED {
				m.stop(e) // a client may wait for it
			}
		}
		m.execs = nil
	}
	m.set(exec, types.Status_UNKNOWN)
	m.tell("delete", m.id, exec)
	return fine
}

func (m *model) hold(from, to types.Status, event string) string {
	if m.state != from {
		return precondition
	}
	m.state = to
	m.tell(event, m.id)
	return fine
}

// names are the execs in a fixed order.
func (m *model) names() []string {
	var all []string
	for e := range m.execs {
		all = append(all, e)
	}
	slices.Sort(all)
	return all
}
