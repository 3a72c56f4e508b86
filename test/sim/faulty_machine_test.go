package sim_test

import (
	"context"
	"io"

	"github.com/containerd/containerd/api/types"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/event"
)

// faultyMachine is the storage, network, directories and accounts of a shim with an injector. The queries Volume and
// LayerID have no points.
type faultyMachine struct {
	*containertest.Machine
	injector *injector
}

var (
	_ layer.Storage        = faultyMachine{}
	_ network.Namespaces   = faultyMachine{}
	_ hostprocess.Files    = faultyMachine{}
	_ hostprocess.Accounts = faultyMachine{}
)

func (m faultyMachine) Activate(scratch string, parents []schema.Layer) error {
	return m.injector.call("storage Activate", func() error { return m.Machine.Activate(scratch, parents) })
}

func (m faultyMachine) Deactivate(scratch string) error {
	return m.injector.call("storage Deactivate", func() error { return m.Machine.Deactivate(scratch) })
}

func (m faultyMachine) Prepare(scratch string, parents []schema.Layer) error {
	return m.injector.call("storage Prepare", func() error { return m.Machine.Prepare(scratch, parents) })
}

func (m faultyMachine) Unprepare(scratch string) error {
	return m.injector.call("storage Unprepare", func() error { return m.Machine.Unprepare(scratch) })
}

func (m faultyMachine) CreateNamespace(id string) error {
	return m.injector.call("network CreateNamespace", func() error { return m.Machine.CreateNamespace(id) })
}

func (m faultyMachine) AddEndpoint(namespace, endpoint string) error {
	return m.injector.call("network AddEndpoint", func() error { return m.Machine.AddEndpoint(namespace, endpoint) })
}

func (m faultyMachine) RemoveEndpoint(namespace, endpoint string) error {
	return m.injector.call("network RemoveEndpoint", func() error { return m.Machine.RemoveEndpoint(namespace, endpoint) })
}

func (m faultyMachine) DeleteNamespace(id string) error {
	return m.injector.call("network DeleteNamespace", func() error { return m.Machine.DeleteNamespace(id) })
}

func (m faultyMachine) MountImage(id string, l plan.Layers) (volume string, err error) {
	err = m.injector.call("storage MountImage", func() error {
		volume, err = m.Machine.MountImage(id, l)
		return err
	})
	return volume, err
}

func (m faultyMachine) UnmountImage(id string) error {
	return m.injector.call("storage UnmountImage", func() error { return m.Machine.UnmountImage(id) })
}

func (m faultyMachine) AttachUnion(volume string, parents []schema.Layer) error {
	return m.injector.call("storage AttachUnion", func() error { return m.Machine.AttachUnion(volume, parents) })
}

func (m faultyMachine) DetachUnion(volume string) error {
	return m.injector.call("storage DetachUnion", func() error { return m.Machine.DetachUnion(volume) })
}

func (m faultyMachine) MakeDir(path string) error {
	return m.injector.call("directories MakeDir", func() error { return m.Machine.MakeDir(path) })
}

func (m faultyMachine) Mount(volume, dir string) error {
	return m.injector.call("directories Mount", func() error { return m.Machine.Mount(volume, dir) })
}

func (m faultyMachine) Unmount(dir string) error {
	return m.injector.call("directories Unmount", func() error { return m.Machine.Unmount(dir) })
}

func (m faultyMachine) Link(root, below, target string) error {
	return m.injector.call("directories Link", func() error { return m.Machine.Link(root, below, target) })
}

func (m faultyMachine) Keep(dir string) (io.Closer, error) {
	var c io.Closer
	err := m.injector.call("directories Keep", func() error {
		var err error
		if c, err = m.Machine.Keep(dir); err == nil {
			m.injector.opened(c, func() { _ = c.Close() })
		}
		return err
	})
	return faultyCloser{c, m.injector, "directories CloseKept"}, err
}

func (m faultyMachine) Unkeep(dir string) error {
	return m.injector.call("directories Unkeep", func() error { return m.Machine.Unkeep(dir) })
}

func (m faultyMachine) Create(name, password, group, comment string) error {
	return m.injector.call("accounts Create", func() error { return m.Machine.Create(name, password, group, comment) })
}

func (m faultyMachine) Delete(name string) error {
	return m.injector.call("accounts Delete", func() error { return m.Machine.Delete(name) })
}

func (m faultyMachine) Logon(u hostprocess.User) (hostprocess.Token, error) {
	var token hostprocess.Token
	err := m.injector.call("accounts Logon", func() error {
		var err error
		if token, err = m.Machine.Logon(u); err == nil {
			m.injector.opened(token, func() { _ = token.Close() })
		}
		return err
	})
	return faultyToken{token, faultyCloser{token, m.injector, "accounts CloseToken"}}, err
}

// faultyCloser is closed by the shim, or by the system when the shim exits.
type faultyCloser struct {
	held     io.Closer
	injector *injector
	name     string
}

func (c faultyCloser) Close() error {
	return c.injector.call(c.name, func() error {
		c.injector.closed(c.held)
		return c.held.Close()
	})
}

// faultyToken is a token with such a closer.
type faultyToken struct {
	hostprocess.Token
	closer faultyCloser
}

func (t faultyToken) Close() error { return t.closer.Close() }

// faultySender sends the events of a shim with an injector.
type faultySender struct{ injector *injector }

var _ event.Sender = faultySender{}

func (s faultySender) Forward(context.Context, *types.Envelope) error {
	return s.injector.call("events Forward", func() error { return nil })
}

func (faultySender) Close() error { return nil }
