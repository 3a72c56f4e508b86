package shim_test

import (
	"context"

	"github.com/containerd/containerd/api/types"

	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim/event"
	"github.com/siloshim/siloshim/shim/host"
	"github.com/siloshim/siloshim/shim/host/hosttest"
	"github.com/siloshim/siloshim/shim/spec"
)

// mortalMachine is storage and network as one shim process sees them that has a fuse. Volume and LayerID only look.
type mortalMachine struct {
	*hosttest.Machine
	fuse *fuse
}

var (
	_ host.Storage = mortalMachine{}
	_ host.Network = mortalMachine{}
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

func (m mortalMachine) DeleteNamespace(id string) error {
	return m.fuse.call("network DeleteNamespace", func() error { return m.Machine.DeleteNamespace(id) })
}

func (m mortalMachine) MountImage(id string, l spec.Layers) (volume string, err error) {
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

// mortalSender is containerd's side of the events, as one shim process sees it that has a fuse.
type mortalSender struct{ fuse *fuse }

var _ event.Sender = mortalSender{}

func (s mortalSender) Forward(context.Context, *types.Envelope) error {
	return s.fuse.call("events Forward", func() error { return nil })
}

func (mortalSender) Close() error { return nil }
