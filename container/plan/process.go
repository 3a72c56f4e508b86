package plan

import (
	"fmt"
	"math"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Process is the plan of one process: the arguments of its creation.
type Process struct {
	// Search finds the program and the working directory of a job container's process. It is nil where Program and Dir are
	// final: in a Windows Server container, and in a plan of [Machine.Program].
	Search *Search
	// Program is what the spec names as the program, and Field where it does. A job container without a Search has its path.
	Program, Field string
	// CommandLine begins with the name of the program.
	CommandLine string
	// Dir is the working directory if there is no Search.
	Dir string
	// Env has only the entries of the specification, each name once. [HostProcess.Environ] adds those of the user.
	Env []string
	// Username is the user of the process; "" is the shim's own.
	Username string
	// Terminal asks for a console of Width by Height characters.
	Terminal      bool
	Width, Height uint16
}

// The size of a console if the specification has none.
const (
	defaultWidth  = 80
	defaultHeight = 25
)

var (
	errNoProcess = fmt.Errorf("process is missing; name the program in process.args: %w", errdefs.ErrInvalidArgument)
	errNoArgs    = fmt.Errorf("process.args is empty; name the program and its arguments, or set process.commandLine: %w", errdefs.ErrInvalidArgument)
)

// Exec plans a process in a job, its init process or an exec. An exec runs as the user of the init process, and in its
// working directory if it names none. Errors are those of [Machine.HostProcess].
func (j *HostProcess) Exec(p *specs.Process) (*Process, error) {
	if p == nil {
		return nil, errNoProcess
	}
	plan := &Process{Terminal: p.Terminal}
	cwd, err := j.dir(p.Cwd)
	if err != nil {
		return nil, err
	}
	if plan.Username, err = j.username(p); err != nil {
		return nil, err
	}
	if err := checkEnv(p.Env); err != nil {
		return nil, err
	}
	plan.Env = j.env(p.Env)
	if plan.Width, plan.Height, err = consoleSize(p); err != nil {
		return nil, err
	}
	if plan.CommandLine, plan.Program, plan.Field, err = commandLine(p, j.substitute); err != nil {
		return nil, err
	}
	return plan, j.planSearch(plan, cwd)
}

// planSearch plans the search for the program. It refuses names that cannot be found wherever the files are.
func (j *HostProcess) planSearch(plan *Process, cwd string) error {
	plan.Search = &Search{job: j, field: plan.Field, program: plan.Program, cwd: cwd}
	if j.Root == nil && len(j.Mounts) == 0 {
		plan.Search.isFile = j.host.Lookup
	}
	everywhere := searchPath{windows: j.host.Root, dir: cwd, root: j.Root, isFile: func(string) bool { return true }}
	_, err := everywhere.find(plan.Field, plan.Program)
	return err
}

// dir is the working directory: the process's own, else that of the init process, else the root of the root file system.
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
		return "", fmt.Errorf("process.cwd is missing; give a directory such as C:\\: %w", errdefs.ErrInvalidArgument)
	}
	if err := checkText("process.cwd", dir); err != nil {
		return "", err
	}
	if !isAbs(dir) {
		return "", fmt.Errorf("process.cwd: it is not an absolute Windows path such as C:\\dir: %w", errdefs.ErrInvalidArgument)
	}
	return dir, nil
}

// username is the user of the container: a job has one user. An exec may name that user only.
func (j *HostProcess) username(p *specs.Process) (string, error) {
	wanted := p.User.Username
	if wanted != "" && !strings.EqualFold(wanted, j.user) {
		return "", fmt.Errorf("process.user.username %q: an exec runs as the user of its container; leave the name out: %w", wanted, errdefs.ErrNotImplemented)
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
