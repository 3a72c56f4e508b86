package containertest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/schema"
)

// Machine is a simulated machine, all that is behind the seams of [engine.Engine]. The zero Machine is empty and sound. It is safe
// for concurrent use.
type Machine struct {
	mu     sync.Mutex // guards the fields below
	held   map[string]bool
	faults map[string]*fault
	calls  []string

	files    map[string]bool             // and whether it is a directory, by what fold gives
	mounts   map[string]string           // volumes, by their directories
	keepers  map[string]map[*keeper]bool // of directories that were made to be kept
	accounts map[string]account
	handles  uintptr // so many tokens there were
}

type fault struct {
	skip, times int
	err         error
}

var (
	_ layer.Storage      = (*Machine)(nil)
	_ network.Namespaces = (*Machine)(nil)
)

// Fail makes the calls of a method, by its name, fail with err: so many times, after as many that pass.
func (m *Machine) Fail(method string, skip, times int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.faults == nil {
		m.faults = map[string]*fault{}
	}
	m.faults[method] = &fault{skip, times, err}
}

// Held lists what is mounted or made and not given back.
func (m *Machine) Held() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.held))
}

// Calls lists the calls so far, in order: the method and what it was about.
func (m *Machine) Calls() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// call does one call: needs must be held, and then add is and drop is not.
func (m *Machine) call(method, about string, needs, add, drop string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, method+" "+about)
	if f := m.faults[method]; f != nil && f.skip == 0 && f.times > 0 {
		f.times--
		return f.err
	} else if f != nil && f.skip > 0 {
		f.skip--
	}
	if needs != "" && !m.held[needs] {
		return fmt.Errorf("%s %s: %s is not there", method, about, needs)
	}
	if m.held == nil {
		m.held = map[string]bool{}
	}
	if add != "" && m.held[add] {
		return fmt.Errorf("%s %s: it is there already", method, about)
	}
	if add != "" {
		m.held[add] = true
	}
	if drop != "" {
		if on := m.blocked(drop); on != "" {
			return fmt.Errorf("%s %s: %s is on it", method, about, on)
		}
		delete(m.held, drop)
	}
	return nil
}

// blocked names what has to go before drop can.
func (m *Machine) blocked(drop string) string {
	kind, about, _ := strings.Cut(drop, " ")
	if kind == "active" && m.held["prepared "+about] {
		return "prepared " + about
	}
	for dir, volume := range m.mounts {
		if kind == "active" && volume == VolumeOf(about) {
			return "mounted " + dir
		}
	}
	for held := range m.held {
		if kind == "account" && strings.HasSuffix(held, " of "+about) || kind == "namespace" && strings.HasSuffix(held, " in "+about) {
			return held
		}
	}
	return ""
}

// VolumeOf is the volume of a layer that is active, by its directory.
func VolumeOf(name string) string {
	sum := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	return fmt.Sprintf(`\\?\Volume{%08x-%04x-4000-8000-%012x}\`, uint32(sum>>32), uint16(sum), sum&0xffffffffffff)
}

// LayerID implements [layer.Storage].
func (m *Machine) LayerID(path string) (string, error) {
	v := VolumeOf(path[strings.LastIndexByte(path, '\\')+1:])
	return v[len(`\\?\Volume{`) : len(v)-2], m.call("LayerID", path, "", "", "")
}

// Activate implements [layer.Storage].
func (m *Machine) Activate(scratch string, parents []schema.Layer) error {
	if len(parents) == 0 {
		return errors.New("a layer without parents")
	}
	return m.call("Activate", scratch, "", "active "+scratch, "")
}

// Deactivate implements [layer.Storage].
func (m *Machine) Deactivate(scratch string) error {
	return m.call("Deactivate", scratch, "", "", "active "+scratch)
}

// Prepare implements [layer.Storage].
func (m *Machine) Prepare(scratch string, _ []schema.Layer) error {
	return m.call("Prepare", scratch, "active "+scratch, "prepared "+scratch, "")
}

// Unprepare implements [layer.Storage].
func (m *Machine) Unprepare(scratch string) error {
	return m.call("Unprepare", scratch, "", "", "prepared "+scratch)
}

// Volume implements [layer.Storage].
func (m *Machine) Volume(scratch string) (string, error) {
	return VolumeOf(scratch), m.call("Volume", scratch, "active "+scratch, "", "")
}

// MountImage implements [layer.Storage].
func (m *Machine) MountImage(id string, _ plan.Layers) (string, error) {
	return VolumeOf("image " + id), m.call("MountImage", id, "", "image "+id, "")
}

// UnmountImage implements [layer.Storage].
func (m *Machine) UnmountImage(id string) error {
	return m.call("UnmountImage", id, "", "", "image "+id)
}

// AttachUnion implements [layer.Storage].
func (m *Machine) AttachUnion(volume string, _ []schema.Layer) error {
	return m.call("AttachUnion", volume, "", "union "+volume, "")
}

// DetachUnion implements [layer.Storage].
func (m *Machine) DetachUnion(volume string) error {
	return m.call("DetachUnion", volume, "", "", "union "+volume)
}

// CreateNamespace implements [network.Namespaces].
func (m *Machine) CreateNamespace(id string) error {
	return m.call("CreateNamespace", id, "", "namespace "+id, "")
}

// AddEndpoint implements [network.Namespaces].
func (m *Machine) AddEndpoint(namespace, endpoint string) error {
	return m.call("AddEndpoint", endpoint, "namespace "+namespace, "endpoint "+endpoint+" in "+namespace, "")
}

// RemoveEndpoint implements [network.Namespaces].
func (m *Machine) RemoveEndpoint(namespace, endpoint string) error {
	return m.call("RemoveEndpoint", endpoint, "", "", "endpoint "+endpoint+" in "+namespace)
}

// DeleteNamespace implements [network.Namespaces].
func (m *Machine) DeleteNamespace(id string) error {
	return m.call("DeleteNamespace", id, "", "", "namespace "+id)
}
