package command

import (
	"errors"

	"github.com/spf13/pflag"
)

// refusal is the value of a flag of docker that silo does not have: it says what to do instead.
type refusal string

// Set implements [pflag.Value].
func (r refusal) Set(string) error { return errors.New(string(r)) }

// String implements [pflag.Value].
func (refusal) String() string { return "" }

// Type implements [pflag.Value].
func (refusal) Type() string { return "string" }

// dockerFlag is a flag of docker, with its shorthand, if any, and the answer to it.
type dockerFlag struct {
	name, short string
	value       bool // it takes one
	answer      refusal
}

const useServer = "a Windows Server container has it, see --server; any other program has that of the host"

// dockerRunFlags are flags of docker run that silo run answers with what to do instead.
var dockerRunFlags = []dockerFlag{
	{"publish", "p", true, "the program opens its ports on the host itself; leave it away, and set the port in the program"},
	{"publish-all", "P", false, "the program opens its ports on the host itself; leave it away"},
	{"expose", "", true, "the program opens its ports on the host itself; leave it away"},
	{"volume", "v", true, "the program has the files of the host; leave it away, or use --server with --mount"},
	{"entrypoint", "", true, "there is no image with an entry point; write program and arguments after --"},
	{"hostname", "", true, useServer},
	{"dns", "", true, "the program has the name servers of the host; with --server use --network"},
	{"link", "", true, "the program has the network of the host; leave it away"},
	{"isolation", "", true, "use --server for a process-isolated container; silo run has no virtual machines"},
	{"privileged", "", false, "the program has the rights of silo; leave it away"},
	{"cap-add", "", true, "the program has the privileges of silo; leave it away"},
	{"cap-drop", "", true, "use --drop-privilege or --restricted"},
	{"cpuset-cpus", "", true, "use --affinity"},
	{"cpu-shares", "", true, "use --cpu-weight"},
	{"pids-limit", "", true, "use --max-processes"},
	{"label", "l", true, "containers of silo have no labels; use --name"},
	{"log-driver", "", true, "use --log"},
	{"log-opt", "", true, "use --log-max-size and --log-max-files"},
	{"pull", "", true, "there is no image; leave it away"},
	{"platform", "", true, "there is no image; leave it away"},
	{"read-only", "", false, "use --server with --mount source=PATH,target=PATH,readonly"},
	{"init", "", false, "the job ends all processes of the program; leave it away"},
}

// dockerExecFlags are those of docker exec.
var dockerExecFlags = []dockerFlag{
	{"detach", "d", false, "exec waits for its program; start another container with silo run --detach"},
	{"user", "u", true, "the program runs as the user of silo; leave it away"},
	{"privileged", "", false, "the program has the rights of silo; leave it away"},
}

// refuseDocker registers flags of docker for their answers.
func refuseDocker(set *pflag.FlagSet, flags []dockerFlag) {
	for _, f := range flags {
		flag := set.VarPF(f.answer, f.name, f.short, "")
		flag.Hidden = true
		if !f.value {
			flag.NoOptDefVal = "true"
		}
	}
}

// terminalFlags are -i and -t of docker. A program of silo has the input and the terminal of silo in any case.
type terminalFlags struct{ interactive, tty bool }

func (f *terminalFlags) register(set *pflag.FlagSet) {
	set.BoolVarP(&f.interactive, "interactive", "i", false, "accepted for docker: the program has the input of silo in any case")
	set.BoolVarP(&f.tty, "tty", "t", false, "require that the input of silo is a terminal")
}

// check refuses --tty without a terminal.
func (f *terminalFlags) check(a *App) error {
	if f.tty && !isConsole(a.Stdin) {
		return errors.New("--tty: the input is not a terminal; leave -t away")
	}
	return nil
}
