// Package engine makes the containers of this machine and cleans up after those whose process has died.
//
// What a container has of the machine is written down in its bundle before it is made, and released in the order of one
// table: by Close, or by [Engine.Cleanup] when the process that made it has died. Layers are never taken from under a
// system that has not exited.
package engine

import (
	"context"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/wcow"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// Engine is what containers are made with. What is nil is the system's. It is safe for concurrent use.
type Engine struct {
	Kernel jobobject.Kernel
	// Service makes and runs Windows Server containers, and Network makes their network namespaces.
	Service *hcs.Client
	Network network.Namespaces
	// Storage mounts layers.
	Storage layer.Storage
	// Files shows the files of job containers, and Accounts are whom they run as.
	Files    hostprocess.Files
	Accounts hostprocess.Accounts
	// Suspend is that of [hostprocess.Config].
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
	return e
}

// HostProcess makes a job container with no process in it, and writes down in the bundle what has to be given back should
// this process die. Whatever it made is gone again when it fails.
func (e Engine) HostProcess(ctx context.Context, namespace, id, bundle string, p *plan.HostProcess) (container.Container, error) {
	if err := inheritEvents(); err != nil {
		return nil, errclass.Add(err)
	}
	e = e.withDefaults()
	return made(hostprocess.New(ctx, hostprocess.Config{
		Namespace: namespace, ID: id, Bundle: bundle, Plan: p,
		Kernel: e.Kernel, Storage: e.Storage, Files: e.Files, Accounts: e.Accounts, Suspend: e.Suspend, Releases: e.releases(),
	}))
}

// Adopt makes a job container of an existing job, see [hostprocess.Config], whose programs run as the user of a token.
// Close closes both; they are closed after an error, too.
func (e Engine) Adopt(ctx context.Context, job *jobobject.Job, token hostprocess.Token, id, bundle string, p *plan.HostProcess) (container.Container, error) {
	e = e.withDefaults()
	return made(hostprocess.New(ctx, hostprocess.Config{
		ID: id, Bundle: bundle, Plan: p, Job: job, Token: token,
		Kernel: e.Kernel, Storage: e.Storage, Files: e.Files, Accounts: e.Accounts, Suspend: e.Suspend, Releases: e.releases(),
	}))
}

// WCOW makes a Windows Server container that does not run yet, as HostProcess does. Errors name the step.
func (e Engine) WCOW(ctx context.Context, id, bundle string, p *plan.WCOW) (container.Container, error) {
	if err := inheritEvents(); err != nil {
		return nil, errclass.Add(err)
	}
	e = e.withDefaults()
	return made(wcow.New(ctx, wcow.Config{
		ID: id, Bundle: bundle, Plan: p,
		Kernel: e.Kernel, Service: e.Service, Storage: e.Storage, Network: e.Network, Releases: e.releases(),
	}))
}

// made is nil after an error.
func made[C container.Container](c C, err error) (container.Container, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
