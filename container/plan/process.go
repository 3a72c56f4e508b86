package plan

import (
	"fmt"
	"math"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Process is the plan of one process: what CreateProcess is to be told.
type Process struct {
	// Search finds the program and the working directory of a job container's process. It is nil where Program and Dir are
	// final: in a Windows Server container, and in a plan of [Machine.Program].
	Search *Search
	// Program is what the spec names as the program, and Field where it does. A job container without a Search has its path.
	Program, Field string
	// CommandLine is what the program sees, its own name first.
	CommandLine string
	// Dir is the working directory if there is no Search.
	Dir string
	// Env holds the container's own entries. The host's belong under them: see [MergeEnv].
	Env []string
	// Username is whom to run it as; "" is the shim's own user.
	Username string
	// Terminal asks for a console of Width by Height characters.
	Terminal      bool
	Width, Height uint16
}

// The size of a console that nobody gave a size.
const (
	defaultWidth  = 80
	defaultHeight = 25
)

// Exec plans a process in a job, its init or an exec. An exec runs as the user of the
// init, and in its working directory when it names none. Errors are those of [Machine.HostProcess].
func (j *HostProcess) Exec(p *specs.Process) (*Process, error) {
	if p == nil {
		return nil, fmt.Errorf("process is missing: say what to run in process.args: %w", errdefs.ErrInvalidArgument)
	}
	plan := &Process{Terminal: p.Terminal}
	cwd, err := j.dir(p.Cwd)
	if err != nil {
		return nil, err
	}
	if plan.Username, err = j.username(p); err != nil {
		return nil, err
	}
	if plan.Env, err = j.env(p.Env); err != nil {
		return nil, err
	}
	if plan.Width, plan.Height, err = consoleSize(p); err != nil {
		return nil, err
	}
	if err := j.planProgram(plan, p, cwd); err != nil {
		return nil, err
	}
	return plan, nil
}

// planProgram fills Search and CommandLine. The spec's command line is taken as it is; arguments are quoted. A name that
// can be no program's is refused at once.
func (j *HostProcess) planProgram(plan *Process, p *specs.Process, cwd string) error {
	var field, program string
	switch {
	case p.CommandLine != "":
		plan.CommandLine = j.substitute(p.CommandLine)
		field, program = "process.commandLine", firstToken(plan.CommandLine)
	case len(p.Args) > 0:
		if err := checkArgs(p.Args); err != nil {
			return err
		}
		args := make([]string, len(p.Args))
		for i, arg := range p.Args {
			args[i] = j.substitute(arg)
		}
		field, program = "process.args[0]", args[0]
		plan.CommandLine = quote(args)
	default:
		return fmt.Errorf("process.args is empty: name the program and its arguments: %w", errdefs.ErrInvalidArgument)
	}
	if err := checkText(strings.TrimSuffix(field, "[0]"), plan.CommandLine); err != nil {
		return err
	}
	plan.Program, plan.Field = program, field
	plan.Search = &Search{job: j, field: field, program: program, cwd: cwd}
	if j.Root == nil && len(j.Mounts) == 0 {
		plan.Search.isFile = j.host.Lookup
	}
	_, err := search{windows: j.host.Root, dir: cwd, root: j.Root, isFile: func(string) bool { return true }}.find(field, program)
	return err
}

// dir is the working directory: the process's own, else the init's, else the root of the root file system.
func (j *HostProcess) dir(cwd string) (string, error) {
	dir := backslashes(j.substitute(cwd))
	switch {
	case strings.HasPrefix(dir, `\`) && !strings.HasPrefix(dir, `\\`) && j.Root != nil:
		dir = join(j.Root.Path, dir)
	case dir != "":
	case j.Process.Search != nil:
		dir = j.Process.Search.cwd
	case j.Root != nil:
		dir = join(j.Root.Path, "")
	}
	if dir == "" {
		return "", fmt.Errorf("process.cwd is missing: give a directory such as C:\\: %w", errdefs.ErrInvalidArgument)
	}
	if err := checkText("process.cwd", dir); err != nil {
		return "", err
	}
	if !isAbs(dir) {
		return "", fmt.Errorf("process.cwd: it is not an absolute Windows path such as C:\\dir: %w", errdefs.ErrInvalidArgument)
	}
	return dir, nil
}

// username is the container's: a job has one user. An exec may name it, and nobody else.
func (j *HostProcess) username(p *specs.Process) (string, error) {
	wanted := p.User.Username
	if wanted != "" && !strings.EqualFold(wanted, j.user) {
		return "", fmt.Errorf("process.user.username %q: an exec runs as the user of its container: leave the name out: %w", wanted, errdefs.ErrNotImplemented)
	}
	if j.InheritUser {
		return "", nil
	}
	return j.user, nil
}

func consoleSize(p *specs.Process) (width, height uint16, err error) {
	width, height = defaultWidth, defaultHeight
	if p.ConsoleSize == nil {
		return width, height, nil
	}
	w, h := p.ConsoleSize.Width, p.ConsoleSize.Height
	if w > math.MaxInt16 || h > math.MaxInt16 {
		return 0, 0, fmt.Errorf("process.consoleSize %d by %d: use at most %d: %w", w, h, math.MaxInt16, errdefs.ErrInvalidArgument)
	}
	if w > 0 {
		width = uint16(w)
	}
	if h > 0 {
		height = uint16(h)
	}
	return width, height, nil
}
