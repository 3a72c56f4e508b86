package sim_test

import (
	"slices"
	"strings"

	types "github.com/containerd/containerd/api/types/task"
)

// model is what the Task API promises for one task, in a few lines: the reference of a walk. It does not use the shim's
// table.
type model struct {
	id     string
	state  types.Status            // UNKNOWN: there is no such task
	execs  map[string]types.Status // never PAUSED: see of
	events []string                // the events of the latest step
}

// Answers of the API: the classes of containerd's errors.
const (
	fine         = ""
	precondition = "failed precondition"
	notFound     = "not found"
	exists       = "already exists"
	unable       = "not implemented"
)

// of is the state of init ("") or of an exec that State must return.
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

func (m *model) emit(words ...string) { m.events = append(m.events, strings.Join(words, " ")) }

// name is how an exit names its process.
func (m *model) name(exec string) string {
	if exec == "" {
		return m.id
	}
	return exec
}

// isInit reports whether an event is one of init's last two, which come after those of the execs.
func (m *model) isInit(event string) bool {
	return event == "exit "+m.id || event == "delete "+m.id+" "
}

// do makes a request and returns the answer that the shim must give.
func (m *model) do(s step) string {
	m.events = nil
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
		return m.setPaused(types.Status_RUNNING, types.Status_PAUSED, "paused")
	case "resume":
		return m.setPaused(types.Status_PAUSED, types.Status_RUNNING, "resumed")
	case "update":
		if now == types.Status_STOPPED {
			return precondition
		}
	case "wait":
		if now != types.Status_STOPPED {
			return "no answer yet"
		}
	case "resize": // no process has a terminal
		return precondition
	}
	return fine
}

func (m *model) create() string {
	if m.state != types.Status_UNKNOWN {
		return exists
	}
	m.state, m.execs = types.Status_CREATED, map[string]types.Status{}
	m.emit("create", m.id)
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
	m.emit("exec-added", exec)
	return fine
}

func (m *model) start(exec string, now types.Status) string {
	if now != types.Status_CREATED || exec != "" && m.state != types.Status_RUNNING {
		return precondition
	}
	m.set(exec, types.Status_RUNNING)
	if exec == "" {
		m.emit("start", m.id)
	} else {
		m.emit("exec-started", exec)
	}
	return fine
}

// kill sends SIGKILL. With init its running execs end, before init.
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
	m.emit("exit", m.name(exec))
}

func (m *model) killAll() string {
	for _, e := range m.names() {
		_ = m.kill(e) // it may have stopped
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
				m.stop(e) // for clients that wait
			}
		}
		m.execs = nil
	}
	m.set(exec, types.Status_UNKNOWN)
	m.emit("delete", m.id, exec)
	return fine
}

func (m *model) setPaused(from, to types.Status, event string) string {
	if m.state != from {
		return precondition
	}
	m.state = to
	m.emit(event, m.id)
	return fine
}

// names lists the execs in a fixed order.
func (m *model) names() []string {
	var all []string
	for e := range m.execs {
		all = append(all, e)
	}
	slices.Sort(all)
	return all
}
