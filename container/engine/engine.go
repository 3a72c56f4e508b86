// Package engine makes the containers of this machine, and cleans up after a process that made one and died.
//
// A container's resources are recorded in its bundle before they are made. One table releases them in its order: in
// Close, or in [Engine.Cleanup] after the process that made them has died. The layers of a system that has not exited are
// not released.
package engine

import (
	"context"
	"errors"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/container/wcow"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// Engine makes containers with the functions of a machine. A nil field is that of this machine. An Engine is safe for
// concurrent use.
type Engine struct {
	Kernel jobobject.Kernel
	// Service and Network are for Windows Server containers.
	Service *hcs.Client
	Network network.Namespaces
	Storage layer.Storage
	// Files and Accounts are for job containers.
	Files    hostprocess.Files
	Accounts hostprocess.Accounts
	// Pods gets the pod of each container that is in one.
	Pods podinfo.Store
	// Suspend is the field of [hostprocess.Config].
	Suspend func(pid uint32) (resume func() error, err error)
}

func (e Engine) withDefaults() Engine {
	if e.Service == nil {
		e.Service = new(hcs.Client)
	}
	if e.Storage == nil {
		e.Storage = layer.System()
	}
	if e.Network == nil {
		e.Network = network.System()
	}
	if e.Files == nil {
		e.Files = hostprocess.SystemFiles()
	}
	if e.Accounts == nil {
		e.Accounts = hostprocess.SystemAccounts()
	}
	if e.Pods == nil {
		e.Pods = podinfo.System()
	}
	return e
}

// HostProcess makes a job container without a process. It records the container's resources in the bundle before it makes
// them. If it fails it releases them.
func (e Engine) HostProcess(ctx context.Context, namespace, id, bundle string, p *plan.HostProcess) (container.Container, error) {
	if err := InheritEvents(); err != nil {
		return nil, errclass.Add(err)
	}
	e = e.withDefaults()
	return result(hostprocess.New(ctx, hostprocess.Config{
		Namespace: namespace, ID: id, Bundle: bundle, Plan: p, Pods: e.Pods,
		Kernel: e.Kernel, Storage: e.Storage, Files: e.Files, Accounts: e.Accounts, Suspend: e.Suspend, Releases: e.releases(),
	}))
}

// Adopt makes a job container of an existing job, see [hostprocess.Config], whose programs run as the user of a token.
// Close closes both; they are closed after an error, too.
func (e Engine) Adopt(ctx context.Context, job *jobobject.Job, token hostprocess.Token, id, bundle string, p *plan.HostProcess) (container.Container, error) {
	if err := InheritEvents(); err != nil {
		err = errors.Join(errclass.Add(err), job.Close())
		if token != nil {
			err = errors.Join(err, token.Close())
		}
		return nil, err
	}
	e = e.withDefaults()
	return result(hostprocess.New(ctx, hostprocess.Config{
		ID: id, Bundle: bundle, Plan: p, Job: job, Token: token,
		Kernel: e.Kernel, Storage: e.Storage, Files: e.Files, Accounts: e.Accounts, Suspend: e.Suspend, Releases: e.releases(),
	}))
}

// WCOW makes a Windows Server container that does not run yet, as HostProcess does. Errors name the step.
func (e Engine) WCOW(ctx context.Context, id, bundle string, p *plan.WCOW) (container.Container, error) {
	if err := InheritEvents(); err != nil {
		return nil, errclass.Add(err)
	}
	e = e.withDefaults()
	return result(wcow.New(ctx, wcow.Config{
		ID: id, Bundle: bundle, Plan: p, Pods: e.Pods,
		Kernel: e.Kernel, Service: e.Service, Storage: e.Storage, Network: e.Network, Releases: e.releases(),
	}))
}

// result is a nil interface after an error.
func result[C container.Container](c C, err error) (container.Container, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
