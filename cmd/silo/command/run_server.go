package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/cmd/silo/wcow"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
)

// serverFlags are the flags of run for a Windows Server container.
type serverFlags struct {
	on      bool
	layers  []string
	mounts  []string
	network []string
}

func (f *serverFlags) register(set *pflag.FlagSet) {
	set.BoolVar(&f.on, "server", false, "run it in a Windows Server container, over --layer")
	set.StringArrayVar(&f.layers, "layer", nil, "directory of a read-only layer, the topmost first; one alone includes those of its layerchain.json")
	set.StringArrayVar(&f.mounts, "mount", nil, "source=PATH,target=PATH[,readonly]: a directory or pipe of the host in the container; may be repeated")
	set.StringArrayVar(&f.network, "network", nil, "namespace=GUID to join, or endpoint=GUID for a new namespace; dns-search=DOMAIN; may be repeated")
}

// given reports whether one of those that need --server is set.
func (f *serverFlags) given() bool { return len(f.layers)+len(f.mounts)+len(f.network) > 0 }

// fill adds the mounts and the network to a specification.
func (f *serverFlags) fill(s *specs.Spec) (err error) {
	for _, text := range f.mounts {
		m, err := wcow.ParseMount(text)
		if err != nil {
			return err
		}
		s.Mounts = append(s.Mounts, m)
	}
	s.Windows.Network, err = wcow.ParseNetwork(f.network)
	return err
}

// checkServer refuses what a Windows Server container cannot have; with --best-effort limits are warnings.
func (p *runPlan) checkServer() error {
	switch {
	case len(p.server.layers) == 0:
		return errors.New("--server needs a --layer")
	case p.policy.When != "no":
		return errors.New("--restart is not for --server: each run has a new layer")
	case !p.token.Empty():
		return errors.New("--restricted, --drop-privilege, --deny-sid and --integrity are not for --server: the container has other users")
	}
	return nil
}

// serverRun is one program in its own Windows Server container.
type serverRun struct {
	*runPlan
	spec      *specs.Spec
	tolerated []string // warnings about what the container cannot have
	out       *outputs // nil for those of the flags
}

// runServer runs the program of the flags in a Windows Server container.
func (a *App) runServer(ctx context.Context, p *runPlan, args []string) error {
	resources, rest := wcow.Resources(p.wanted)
	r := serverRun{runPlan: p}
	for _, line := range limit.Describe(rest, a.Machine) {
		if !p.bestEffort {
			return fmt.Errorf("a Windows Server container cannot have the limit %s; --best-effort makes this a warning", line.Limit)
		}
		r.tolerated = append(r.tolerated, line.Limit+": a Windows Server container cannot have it")
	}
	layers, err := p.server.chain()
	if err != nil {
		return err
	}
	env, err := p.program.entries(a.Env)
	if err != nil {
		return err
	}
	r.spec = &specs.Spec{
		Process: &specs.Process{Args: args, Cwd: cmp.Or(p.program.dir, `C:\`), Env: env, User: specs.User{Username: p.user}},
		Windows: &specs.Windows{LayerFolders: append(layers, wcow.Scratch(a.Node.Records.Path(p.name))), Resources: resources},
	}
	if err := p.server.fill(r.spec); err != nil {
		return err
	}
	return a.serve(ctx, &r)
}

// chain returns the layers of --layer: all, or one and those below it.
func (f *serverFlags) chain() ([]string, error) {
	if len(f.layers) == 1 {
		return wcow.Chain(f.layers[0])
	}
	return f.layers, nil
}

// containers is the engine of silo's containers.
func (a *App) containers() engine.Engine {
	return engine.Engine{Kernel: a.Kernel, Service: a.Service, Storage: a.Storage, Network: a.Network, Accounts: a.Accounts}
}

// serverOwner is the owner that the Host Compute Service lists for the containers of silo itself.
const serverOwner = "silo"

// serve plans the container, runs it, and keeps its record.
func (a *App) serve(ctx context.Context, r *serverRun) error {
	planned, err := a.Host.WCOW(r.name, r.spec, nil)
	if err != nil {
		return err
	}
	warnings := append(r.tolerated, planned.Warnings...)
	for _, w := range warnings {
		fmt.Fprintf(a.Stderr, "silo: warning: %s\n", w)
	}
	planned.Document.Owner = serverOwner
	planned.Warnings = nil // the engine would log them once more
	ctx, unlisten, err := a.claim(ctx, r.name, func() {})
	if err != nil {
		return err
	}
	defer unlisten()
	if r.out == nil {
		if r.out, err = a.route(r.runPlan); err != nil {
			return err
		}
		defer r.out.close(a)
	}
	record := r.record(node.Server, warnings, a.Now())
	record.System = r.name
	journal, err := a.begin(r.runPlan, record)
	if err != nil {
		return err
	}
	result, err := a.superviseServer(ctx, r, planned, journal)
	return a.endServer(r, record, result, err, journal.close())
}

// superviseServer makes the container, runs its program and removes the container.
func (a *App) superviseServer(ctx context.Context, r *serverRun, planned *plan.WCOW, j *journal) (result supervisor.Result, err error) {
	dir := a.Node.Records.Path(r.name)
	done := a.progress("mount the layers of " + r.name + " and create it")
	c, err := a.containers().WCOW(ctx, r.name, dir, planned)
	done()
	if err != nil {
		return result, errors.Join(err, wcow.RemoveScratch(dir))
	}
	defer func() {
		defer a.progress("remove " + r.name + " and its layers")()
		if cerr := c.Close(); cerr != nil {
			err = errors.Join(err, cerr) // the layers may be in use, so the scratch layer stays with their record
			return
		}
		err = errors.Join(err, wcow.RemoveScratch(dir))
	}()
	return a.supervised(ctx, r.runPlan, c, &planned.Process, r.out, j)
}

// endServer writes how the run ended, and returns its exit code.
func (a *App) endServer(r *serverRun, record *node.Record, result supervisor.Result, err, lost error) error {
	if noProgram(err) {
		err = &failure{codeNotFound, fmt.Errorf("no such program in the container: %w", err)}
	}
	if wcow.Left(a.Node.Records.Path(r.name)) {
		// The record stays as it is: silo cleanup goes by it.
		return errors.Join(err, lost, fmt.Errorf("%s has left something behind: silo cleanup lists it", r.name))
	}
	return a.finish(r.runPlan, record, result, err, lost)
}

// noProgram reports whether the container does not have the program.
func noProgram(err error) bool {
	return errors.Is(err, hcs.CodeWin32FileNotFound) || errors.Is(err, hcs.CodeWin32PathNotFound)
}
