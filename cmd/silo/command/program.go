package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
)

// programFlags say how to start a program.
type programFlags struct {
	environmentFlags
	dir   string
	noEnv bool
}

func (f *programFlags) register(set *pflag.FlagSet) {
	set.StringVarP(&f.dir, "workdir", "w", "", "working directory; default: the current one")
	f.environmentFlags.register(set)
	set.BoolVar(&f.noEnv, "clean-env", false, "start from an empty environment instead of this one")
}

// planProgram plans a program of the host. A missing program has exit code 127.
func (a *App) planProgram(f *programFlags, args []string) (*plan.HostProcess, error) {
	env, err := f.entries(a.Env)
	if err != nil {
		return nil, err
	}
	dir := cmp.Or(f.dir, a.Dir)
	// The search path is that of the caller, also with a clean environment.
	planned, err := a.Host.Program(args, dir, env, a.Env)
	if errdefs.IsNotFound(err) {
		return nil, &failure{codeNotFound, fmt.Errorf("%s: no such program in %s, PATH or the directories of Windows; give its full path", args[0], dir)}
	}
	if err != nil {
		return nil, typed(err, dir)
	}
	return planned, nil
}

// typed names what a user of silo typed, in an error of package plan about a field of an OCI specification.
func typed(err error, dir string) error {
	fields := strings.NewReplacer("process.args[0]: program", "program", "process.args[", "argument [", "process.args", "the arguments",
		"process.cwd", fmt.Sprintf("--workdir %q", dir), "process.env[", "--env [")
	return errors.New(fields.Replace(strings.TrimSuffix(err.Error(), ": "+errdefs.ErrInvalidArgument.Error())))
}

// program plans a program for a job of another process.
func (a *App) program(f *programFlags, args []string) (jobobject.ProcessOptions, error) {
	planned, err := a.planProgram(f, args)
	if err != nil {
		return jobobject.ProcessOptions{}, err
	}
	p := &planned.Process
	return jobobject.ProcessOptions{
		Application: p.Program, CommandLine: p.CommandLine, Dir: p.Dir, Env: planned.Environ(f.base(a.Env), p),
	}, nil
}

// base is the environment that the program starts from, out of that of silo.
func (f *programFlags) base(outer []string) []string {
	if f.noEnv {
		return nil
	}
	return outer
}

// connect connects the program to silo's own streams if they are files.
func (a *App) connect(p *jobobject.ProcessOptions) (direct bool) {
	p.Stdin = a.Stdin
	out, ok1 := a.Stdout.(*os.File)
	err, ok2 := a.Stderr.(*os.File)
	if ok1 && ok2 {
		p.Stdout, p.Stderr = out, err
	}
	return ok1 && ok2
}

// streams are the standard streams of a program, see [supervisor.Options].
type streams struct {
	stdin          *os.File
	stdout, stderr io.Writer
}

// streams are silo's own. Output that is not inherited goes to stdout as a whole, so that its order is kept.
func (a *App) streams() streams {
	if a.connect(new(jobobject.ProcessOptions)) {
		return streams{a.Stdin, a.Stdout, a.Stderr}
	}
	return streams{stdin: a.Stdin, stdout: a.Stdout}
}

// startError adds the exit code to the error of a start, and the remedy if there is one.
func startError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jobobject.ErrNotDirectory):
		return &failure{codeRefused, fmt.Errorf("%w; name another with --workdir", err)}
	case errors.Is(err, jobobject.ErrNotExist):
		return &failure{codeNotFound, err}
	}
	return &failure{codeRefused, err}
}

// needProgram requires at least one argument.
func needProgram(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("say which program to run: silo VERB [FLAGS] -- PROGRAM [ARGS]")
	}
	return nil
}
