package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/pflag"
	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/server"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/schema"
)

// serverFlags make run use a Windows Server container.
type serverFlags struct {
	on      bool
	layers  []string
	mounts  []string
	network []string
}

func (f *serverFlags) register(set *pflag.FlagSet) {
	set.BoolVar(&f.on, "server", false, "run it in a Windows Server container, over --layer")
	set.StringArrayVar(&f.layers, "layer", nil, "directory of a read-only layer, the nearest first; one alone brings those that its layerchain.json names")
	set.StringArrayVar(&f.mounts, "mount", nil, "source=PATH,target=PATH[,readonly]: a directory or pipe of the host in the container; may be repeated")
	set.StringArrayVar(&f.network, "network", nil, "namespace=GUID to join, or endpoint=GUID for a namespace of its own; dns-search=DOMAIN; may be repeated")
}

// given tells whether any of them was.
func (f *serverFlags) given() bool { return len(f.layers)+len(f.mounts)+len(f.network) > 0 }

// fill puts the mounts and the network into a specification.
func (f *serverFlags) fill(s *specs.Spec) (err error) {
	for _, text := range f.mounts {
		m, err := server.ParseMount(text)
		if err != nil {
			return err
		}
		s.Mounts = append(s.Mounts, m)
	}
	s.Windows.Network, err = server.ParseNetwork(f.network)
	return err
}

// checkServer refuses what a Windows Server container cannot have; with --best-effort limits are warnings.
func (p *runPlan) checkServer() error {
	switch {
	case len(p.server.layers) == 0:
		return errors.New("--server needs a --layer")
	case p.policy.When != "no":
		return errors.New("--restart is not for --server: each run has a layer of its own")
	case !p.token.Empty():
		return errors.New("--restricted, --drop-privilege, --deny-sid and --integrity are not for --server: the container has users of its own")
	}
	return nil
}

// serverRun is one program in a Windows Server container of its own.
type serverRun struct {
	name           string
	spec           *specs.Spec
	warnings       []string
	output, errors io.Writer
	stop           *runPlan // for the record
}

// runServer runs what the flags ask for.
func (a *App) runServer(ctx context.Context, p *runPlan, args []string) error {
	resources, rest := server.Resources(p.wanted)
	r := serverRun{name: p.name, stop: p, output: a.Stdout, errors: a.Stderr}
	for _, line := range limit.Describe(rest, a.Machine) {
		if !p.bestEffort {
			return fmt.Errorf("a Windows Server container cannot have the limit %s; --best-effort makes this a warning", line.Limit)
		}
		r.warnings = append(r.warnings, line.Limit+": a Windows Server container cannot have it")
	}
	layers, err := p.server.chain()
	if err != nil {
		return err
	}
	env, err := p.program.entries(a.Env)
	if err != nil {
		return err
	}
	dir := p.program.dir
	if dir == "" {
		dir = `C:\`
	}
	r.spec = &specs.Spec{
		Process: &specs.Process{Args: args, Cwd: dir, Env: env, User: specs.User{Username: p.user}},
		Windows: &specs.Windows{LayerFolders: append(layers, server.Scratch(a.Node.Records.Path(p.name))), Resources: resources},
	}
	if err := p.server.fill(r.spec); err != nil {
		return err
	}
	if p.log != "" {
		file := &lumberjack.Logger{Filename: p.log, MaxSize: p.logSize, MaxBackups: p.logFiles}
		defer file.Close() //nolint:errcheck // what was written has been written
		r.output, r.errors = io.MultiWriter(file, a.Stdout), io.MultiWriter(file, a.Stderr)
		if p.detach {
			r.output, r.errors = file, file
		}
	}
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.timeout, exit(supervisor.TimedOut))
		defer cancel()
	}
	return a.serve(ctx, &r)
}

// chain is what --layer names: all, or one and those below it.
func (f *serverFlags) chain() ([]string, error) {
	if len(f.layers) == 1 {
		return server.Chain(f.layers[0])
	}
	return f.layers, nil
}

// containers makes Windows Server containers.
func (a *App) containers() engine.Engine {
	return engine.Engine{Kernel: a.Kernel, Service: a.Service, Storage: a.Storage, Network: a.Network, Accounts: a.Accounts}
}

// processSignals are the words of the service for our signals.
func processSignals(stops []supervisor.Signal) (list []schema.ProcessSignal) {
	for _, s := range stops {
		switch s {
		case supervisor.CtrlC:
			list = append(list, schema.CtrlC)
		case supervisor.CtrlBreak:
			list = append(list, schema.CtrlBreak)
		}
	}
	return list
}

// serverOwner is whom the Host Compute Service lists as the client behind the containers of silo itself.
const serverOwner = "silo"

// serve plans the container, runs it, and keeps the record of it.
func (a *App) serve(ctx context.Context, r *serverRun) error {
	planned, err := a.Host.WCOW(r.name, r.spec, nil)
	if err != nil {
		return err
	}
	warnings := append(r.warnings, planned.Warnings...)
	for _, w := range warnings {
		fmt.Fprintf(a.Stderr, "silo: warning: %s\n", w)
	}
	planned.Document.Owner = serverOwner
	planned.Warnings = nil // the shim's host would log them once more
	ctx, unlisten, err := a.claim(ctx, r.name, func() {})
	if err != nil {
		return err
	}
	defer unlisten()
	record := &node.Record{
		Kind: node.Server, ID: r.name, Supervisor: uint32(os.Getpid()), Log: r.stop.log, Warnings: warnings,
		GraceNS: int64(r.stop.grace), Started: a.Now(),
	}
	if err := a.Node.Records.Write(record); err != nil {
		return err
	}
	ready := detached(a, r.name)
	var lost error
	code, err := server.Run(ctx, server.Options{
		Host: a.containers(), ID: r.name, Dir: a.Node.Records.Path(r.name), Plan: planned,
		Output: r.output, Errors: r.errors, Signals: processSignals(r.stop.stops), Grace: r.stop.grace,
		Started: func(pid uint32) {
			record.Pid = pid
			lost = a.Node.Records.Write(record)
			ready()
		},
	})
	return a.endServer(ctx, r, record, code, err, lost)
}

// endServer writes how it ended, and makes the exit code.
func (a *App) endServer(ctx context.Context, r *serverRun, record *node.Record, code uint32, err, lost error) error {
	if errors.Is(err, server.ErrNoProgram) {
		err = &failure{codeNotFound, err}
	}
	if server.Left(a.Node.Records.Path(r.name)) {
		// The record stays as it is: silo cleanup goes by it.
		return errors.Join(err, lost, fmt.Errorf("%s has left something behind: silo cleanup lists it", r.name))
	}
	if err != nil {
		return errors.Join(err, lost, a.Node.Records.Remove(r.name))
	}
	reason := supervisor.Exited
	if ctx.Err() != nil {
		reason = supervisor.Stopped
		var timeout exit
		if errors.As(context.Cause(ctx), &timeout) {
			code, reason = uint32(timeout), supervisor.Timeout
		}
	}
	record.Exit = &node.Exit{Code: code, Reason: string(reason), At: a.Now()}
	if err := errors.Join(lost, a.endRecord(r.stop, record)); err != nil {
		fmt.Fprintf(a.Stderr, "silo: warning: %v\n", err)
	}
	if code != 0 {
		return exit(code)
	}
	return nil
}
