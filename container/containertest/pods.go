package containertest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/siloshim/siloshim/container/podinfo"
)

var _ podinfo.Store = (*Machine)(nil)

// Publish implements [podinfo.Store].
func (m *Machine) Publish(key string, p podinfo.Pod) (io.Closer, error) {
	content, err := podinfo.Encode(p)
	if err == nil {
		err = m.call("Publish", key, "", "pod of "+key, "")
	}
	if err != nil {
		return nil, err
	}
	m.SetPod(key, content)
	return &published{m, key}, nil
}

// SetPod sets the shared memory with the pod of a container, which another program may have written.
func (m *Machine) SetPod(key string, content []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pods == nil {
		m.pods = map[string][]byte{}
	}
	m.pods[key] = content
}

// Read implements [podinfo.Store].
func (m *Machine) Read(key string) (podinfo.Pod, error) {
	m.mu.Lock()
	content, is := m.pods[key]
	m.mu.Unlock()
	if !is {
		return podinfo.Pod{}, fmt.Errorf("the pod of %s: %w", key, fs.ErrNotExist)
	}
	return podinfo.Decode(content)
}

// published is the one handle of the shared memory of a pod.
type published struct {
	machine *Machine
	key     string
}

// Close implements [io.Closer].
func (p *published) Close() error {
	p.machine.mu.Lock()
	_, is := p.machine.pods[p.key]
	delete(p.machine.pods, p.key)
	p.machine.mu.Unlock()
	if !is {
		return errors.New("the handle is closed")
	}
	return p.machine.call("Unpublish", p.key, "", "", "pod of "+p.key)
}
