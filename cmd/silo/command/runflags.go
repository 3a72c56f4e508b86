package command

import (
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/token"
)

// runFlags are the flags of run.
type runFlags struct {
	name       string
	limits     limit.Flags
	program    programFlags
	token      token.Restriction
	restrict   bool
	restart    string
	signals    string
	grace      duration
	timeout    duration
	log        logFlags
	bestEffort bool
	terminal   terminalFlags
	detach     bool
	remove     bool
	user       string
	server     serverFlags

	supervises string // of detachedFlag
	keepLog    bool   // of keepLogFlag
}

// keepLogFlag is a hidden flag of silo run: the container goes on with the output of the one that had its name before.
const keepLogFlag = "keep-log"

func (f *runFlags) register(set *pflag.FlagSet) {
	f.grace = duration(10 * time.Second)
	set.SetInterspersed(false)
	set.StringVar(&f.name, "name", "", "name of the container; default: run-PID")
	set.StringVar(&f.restart, "restart", "no", "restart policy: no, always, unless-stopped, on-failure or on-failure:COUNT; pauses grow from 100ms to 1m")
	set.StringVar(&f.signals, "stop-signal", "ctrl-c,ctrl-break", "events that a stop sends, one after the other")
	set.Var(&f.grace, "stop-grace", "time to exit after each event; then the job is terminated")
	set.Var(&f.grace, "stop-timeout", "the same as --stop-grace")
	set.Var(&f.timeout, "timeout", "stop the program after this time; 0 is never")
	f.log.register(set)
	set.BoolVar(&f.bestEffort, "best-effort", false, "warn of limits that cannot be applied instead of refusing")
	set.BoolVarP(&f.detach, "detach", "d", false, "return when it has started; output goes to a file")
	f.terminal.register(set)
	set.BoolVar(&f.remove, "rm", false, "remove its record and its output when it has ended")
	set.BoolVar(&f.restrict, "restricted", false, "run without privileges, and with Administrators to deny only")
	set.StringSliceVar(&f.token.Privileges, "drop-privilege", nil, "privilege to take away, such as SeDebugPrivilege; may be repeated")
	set.StringSliceVar(&f.token.SIDs, "deny-sid", nil, "SID or account that can only deny; may be repeated")
	set.StringVar(&f.token.Integrity, "integrity", "", "integrity level: untrusted, low or medium")
	set.StringVarP(&f.user, "user", "u", "", "service account to run as, such as \"NT AUTHORITY\\Local Service\"; with --server any user of the layers")
	f.server.register(set)
	f.limits.Register(set)
	f.program.register(set)
	refuseDocker(set, dockerRunFlags)
	set.StringVar(&f.supervises, detachedFlag, "", "")
	set.BoolVar(&f.keepLog, keepLogFlag, false, "")
	for _, hidden := range []string{"stop-timeout", detachedFlag, keepLogFlag} {
		set.Lookup(hidden).Hidden = true
	}
}

// check refuses flags that exclude each other.
func (f *runFlags) check(a *App) error {
	switch {
	case f.remove && f.restart != "no":
		return errors.New("--rm and --restart exclude each other; use one")
	case f.terminal.tty && f.detach:
		return errors.New("--tty and --detach exclude each other: a detached program has no terminal; leave -t away")
	case f.terminal.tty && f.server.on:
		return errors.New("--tty is not for --server: the program has no input; leave -t away")
	case !f.server.on && f.server.given():
		return errors.New("--layer, --mount and --network are for --server; without it the program has the files and the network of the host")
	}
	return f.terminal.check(a)
}
