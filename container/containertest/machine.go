// Package containertest simulates the functions of a machine that containers need beside the kernel and the compute
// service: layers, network namespaces, files and accounts. It enforces the same order of calls as Windows, and can inject
// errors.
//
// Only tests import the package.
package containertest

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/schema"
)

// Machine is a simulated machine. The zero Machine has no resources and no errors. A Machine is safe for concurrent use.
type Machine struct {
	mu     sync.Mutex // guards the fields below
	held   map[string]bool
	faults map[string]*fault
	calls  []string

	files    map[string]bool             // whether each is a directory, by folded path
	mounts   map[string]string           // volumes, by folded directory
	keepers  map[string]map[*keeper]bool // of the directories that Keep made
	foreign  map[string]bool             // directories of another user
	accounts map[string]account
	handles  uintptr           // of the last token
	pods     map[string][]byte // shared memory, by key
}

type fault struct {
	skip, times int
	err         error
}

var (
	_ layer.Storage      = (*Machine)(nil)
	_ network.Namespaces = (*Machine)(nil)
)

// Fail makes calls of a method fail with err: times calls, after skip calls that succeed.
func (m *Machine) Fail(method string, skip, times int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.faults == nil {
		m.faults = map[string]*fault{}
	}
	m.faults[method] = &fault{skip, times, err}
}

// Held lists the resources that were made and not released.
func (m *Machine) Held() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.held))
}

// Calls lists the calls so far, in order, with the method and its object.
func (m *Machine) Calls() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// call does one call. It fails unless needs is held; then it adds and drops a resource.
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
		return fmt.Errorf("%s %s: %s does not exist", method, about, needs)
	}
	if m.held == nil {
		m.held = map[string]bool{}
	}
	if add != "" && m.held[add] {
		return fmt.Errorf("%s %s: it exists already", method, about)
	}
	if add != "" {
		m.held[add] = true
	}
	if drop != "" {
		if on := m.blocked(drop); on != "" {
			return fmt.Errorf("%s %s: %s uses it", method, about, on)
		}
		delete(m.held, drop)
	}
	return nil
}

// blocked returns a resource that must be dropped before drop, or "".
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

// VolumeOf returns the volume of an active layer, by its directory.
func VolumeOf(name string) string {
	h := fnv.New64a()
	h.Write([]byte(name))
	sum := h.Sum64()
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
		return errors.New("the layer has no parents")
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
