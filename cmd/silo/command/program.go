package command

import (
	"bufio"
	"bytes"
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
	set.StringVarP(&f.dir, "workdir", "w", "", "working directory; default: the current one")
	set.StringArrayVarP(&f.env, "env", "e", nil, "NAME=VALUE, or NAME to take it from here; may be repeated")
	set.StringVar(&f.envFile, "env-file", "", "file of NAME=VALUE lines; # begins a comment")
	set.BoolVar(&f.noEnv, "clean-env", false, "start from an empty environment instead of this one")
}

// planProgram plans a program of the host. A missing program has exit code 127.
func (a *App) planProgram(f *programFlags, args []string) (*plan.HostProcess, error) {
	env, err := f.entries(a.Env)
	if err != nil {
		return nil, err
	}
	// The search path is that of the caller, also with a clean environment.
	planned, err := a.Host.Program(args, cmp.Or(f.dir, a.Dir), env, a.Env)
	if errdefs.IsNotFound(err) {
		return nil, &failure{codeNotFound, fmt.Errorf("%s: no such program in the working directory, PATH or the directories of Windows", args[0])}
	}
	return planned, err
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

// entries are those of the file, followed by those of the flags. No error contains a value.
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

// startError adds the exit code to the error of a start.
func startError(err error) error {
	switch {
	case err == nil:
		return nil
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
