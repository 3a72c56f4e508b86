package service_test

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

// mortalMachine is storage, network, directories and accounts as one shim process sees them that has a fuse. Volume and LayerID only look.
type mortalMachine struct {
	*containertest.Machine
	fuse *fuse
}

var (
	_ layer.Storage        = mortalMachine{}
	_ network.Namespaces   = mortalMachine{}
	_ hostprocess.Files    = mortalMachine{}
	_ hostprocess.Accounts = mortalMachine{}
)

func (m mortalMachine) Activate(scratch string, parents []schema.Layer) error {
	return m.fuse.call("storage Activate", func() error { return m.Machine.Activate(scratch, parents) })
}

func (m mortalMachine) Deactivate(scratch string) error {
	return m.fuse.call("storage Deactivate", func() error { return m.Machine.Deactivate(scratch) })
}

func (m mortalMachine) Prepare(scratch string, parents []schema.Layer) error {
	return m.fuse.call("storage Prepare", func() error { return m.Machine.Prepare(scratch, parents) })
}

func (m mortalMachine) Unprepare(scratch string) error {
	return m.fuse.call("storage Unprepare", func() error { return m.Machine.Unprepare(scratch) })
}

func (m mortalMachine) CreateNamespace(id string) error {
	return m.fuse.call("network CreateNamespace", func() error { return m.Machine.CreateNamespace(id) })
}

func (m mortalMachine) AddEndpoint(namespace, endpoint string) error {
	return m.fuse.call("network AddEndpoint", func() error { return m.Machine.AddEndpoint(namespace, endpoint) })
}

func (m mortalMachine) RemoveEndpoint(namespace, endpoint string) error {
	return m.fuse.call("network RemoveEndpoint", func() error { return m.Machine.RemoveEndpoint(namespace, endpoint) })
}

func (m mortalMachine) DeleteNamespace(id string) error {
	return m.fuse.call("network DeleteNamespace", func() error { return m.Machine.DeleteNamespace(id) })
}

func (m mortalMachine) MountImage(id string, l plan.Layers) (volume string, err error) {
	err = m.fuse.call("storage MountImage", func() error {
		volume, err = m.Machine.MountImage(id, l)
		return err
	})
	return volume, err
}

func (m mortalMachine) UnmountImage(id string) error {
	return m.fuse.call("storage UnmountImage", func() error { return m.Machine.UnmountImage(id) })
}

func (m mortalMachine) AttachUnion(volume string, parents []schema.Layer) error {
	return m.fuse.call("storage AttachUnion", func() error { return m.Machine.AttachUnion(volume, parents) })
}

func (m mortalMachine) DetachUnion(volume string) error {
	return m.fuse.call("storage DetachUnion", func() error { return m.Machine.DetachUnion(volume) })
}

func (m mortalMachine) MakeDir(path string) error {
	return m.fuse.call("directories MakeDir", func() error { return m.Machine.MakeDir(path) })
}

func (m mortalMachine) Mount(volume, dir string) error {
	return m.fuse.call("directories Mount", func() error { return m.Machine.Mount(volume, dir) })
}

func (m mortalMachine) Unmount(dir string) error {
	return m.fuse.call("directories Unmount", func() error { return m.Machine.Unmount(dir) })
}

func (m mortalMachine) Link(root, below, target string) error {
	return m.fuse.call("directories Link", func() error { return m.Machine.Link(root, below, target) })
}

func (m mortalMachine) Keep(dir string) (io.Closer, error) {
	var c io.Closer
	err := m.fuse.call("directories Keep", func() error {
		var err error
		if c, err = m.Machine.Keep(dir); err == nil {
			m.fuse.keep(c, func() { _ = c.Close() })
		}
		return err
	})
	return mortalCloser{c, m.fuse, "directories CloseKept"}, err
}

func (m mortalMachine) Unkeep(dir string) error {
	return m.fuse.call("directories Unkeep", func() error { return m.Machine.Unkeep(dir) })
}

func (m mortalMachine) Create(name, password, group, comment string) error {
	return m.fuse.call("accounts Create", func() error { return m.Machine.Create(name, password, group, comment) })
}

func (m mortalMachine) Delete(name string) error {
	return m.fuse.call("accounts Delete", func() error { return m.Machine.Delete(name) })
}

func (m mortalMachine) Logon(u hostprocess.User) (hostprocess.Token, error) {
	var token hostprocess.Token
	err := m.fuse.call("accounts Logon", func() error {
		var err error
		if token, err = m.Machine.Logon(u); err == nil {
			m.fuse.keep(token, func() { _ = token.Close() })
		}
		return err
	})
	return mortalToken{token, mortalCloser{token, m.fuse, "accounts CloseToken"}}, err
}

// mortalCloser is something that the shim closes, or the system when the shim dies.
type mortalCloser struct {
	held io.Closer
	fuse *fuse
	name string
}

func (c mortalCloser) Close() error {
	return c.fuse.call(c.name, func() error {
		c.fuse.forget(c.held)
		return c.held.Close()
	})
}

// mortalToken is such a token.
type mortalToken struct {
	hostprocess.Token
	closer mortalCloser
}

func (t mortalToken) Close() error { return t.closer.Close() }

// mortalSender is containerd's side of the events, as one shim process sees it that has a fuse.
type mortalSender struct{ fuse *fuse }

var _ event.Sender = mortalSender{}

func (s mortalSender) Forward(context.Context, *types.Envelope) error {
	return s.fuse.call("events Forward", func() error { return nil })
}

func (mortalSender) Close() error { return nil }
