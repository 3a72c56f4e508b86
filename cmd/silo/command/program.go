package command

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/textfile"
	"github.com/siloshim/siloshim/jobobject"
)

// programFlags say how to start a program.
type programFlags struct {
	dir     string
	env     []string
	envFile string
	noEnv   bool
}

func (f *programFlags) register(set *pflag.FlagSet) {
	set.StringVarP(&f.dir, "workdir", "w", "", "working directory; the current one without it")
	set.StringArrayVarP(&f.env, "env", "e", nil, "NAME=VALUE, or NAME to take it from here; may be repeated")
	set.StringVar(&f.envFile, "env-file", "", "file of NAME=VALUE lines; # begins a comment")
	set.BoolVar(&f.noEnv, "clean-env", false, "start from an empty environment instead of this one")
}

// program plans what to start. A program that is not there has exit code 127.
func (a *App) program(f *programFlags, args []string) (jobobject.ProcessOptions, error) {
	env, err := f.entries(a.Env)
	if err != nil {
		return jobobject.ProcessOptions{}, err
	}
	dir := f.dir
	if dir == "" {
		dir = a.Dir
	}
	planned, err := a.Host.HostProcess("", &specs.Spec{
		Process:     &specs.Process{Args: args, Cwd: dir, Env: env},
		Windows:     &specs.Windows{},
		Annotations: map[string]string{annotations.HostProcessContainer: "true", annotations.HostProcessInheritUser: "true"},
	}, nil)
	var application string
	if err == nil { // the search path is that of the caller, also with a clean environment
		application, dir, err = planned.Process.Search.In(nil, plan.MergeEnv(a.Env, planned.Process.Env))
	}
	if errdefs.IsNotFound(err) {
		return jobobject.ProcessOptions{}, &failure{codeNotFound, fmt.Errorf("%s: no such program in the working directory, PATH or the directories of Windows", args[0])}
	}
	if err != nil {
		return jobobject.ProcessOptions{}, err
	}
	base := a.Env
	if f.noEnv {
		base = nil
	}
	return jobobject.ProcessOptions{
		Application: application, CommandLine: planned.Process.CommandLine, Dir: dir,
		Env: plan.MergeEnv(base, planned.Process.Env),
	}, nil
}

// entries are those of the file with those of the flags behind them. No value is ever part of an error.
func (f *programFlags) entries(outer []string) ([]string, error) {
	var list []string
	if f.envFile != "" {
		text, err := textfile.Read(f.envFile)
		if err != nil {
			return nil, fmt.Errorf("--env-file: %w", err)
		}
		lines := bufio.NewScanner(bytes.NewReader(text))
		for n := 1; lines.Scan(); n++ {
			line := strings.TrimSpace(lines.Text())
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if !strings.Contains(line, "=") {
				return nil, fmt.Errorf("--env-file %s: line %d has no \"=\"", f.envFile, n)
			}
			list = append(list, line)
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("--env-file: %w", err)
		}
	}
	for _, entry := range f.env {
		if name, _, set := strings.Cut(entry, "="); !set {
			entry = name + "=" + lookupEnv(outer, name)
		}
		list = append(list, entry)
	}
	return list, nil
}

func lookupEnv(env []string, name string) string {
	for _, entry := range env {
		if n, value, _ := strings.Cut(entry, "="); strings.EqualFold(n, name) {
			return value
		}
	}
	return ""
}

// connect gives the program our own streams where they are files.
func (a *App) connect(p *jobobject.ProcessOptions) (direct bool) {
	p.Stdin = a.Stdin
	out, ok1 := a.Stdout.(*os.File)
	err, ok2 := a.Stderr.(*os.File)
	if ok1 && ok2 {
		p.Stdout, p.Stderr = out, err
	}
	return ok1 && ok2
}

// startError gives the error of a start its exit code.
func startError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jobobject.ErrNotExist):
		return &failure{codeNotFound, err}
	}
	return &failure{codeRefused, err}
}

// needProgram wants at least one argument.
func needProgram(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("say which program to run: silo VERB [FLAGS] -- PROGRAM [ARGS]")
	}
	return nil
}
