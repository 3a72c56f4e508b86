// Package bootstrap is the shim's command line: how containerd starts, serves, queries and cleans up a shim.
//
//	containerd ── start ──▶ shim start ── serve (detached) ──▶ shim serve
//	     ▲                      │  ◀── ready, through a pipe ──────┘ │
//	     └──── address ─────────┘                                   │
//	     └──── ttrpc ───────────────────────────────────────────────┘
//	containerd ── delete ─▶ shim delete        after a shim has crashed
//
// One executable serves containerd 1.7 and later. They differ in what they write to the standard input of
// start and in what they can read from its output; params.go has both tables. Containerd reads the two
// output streams of start as one, so nothing but the reply is ever written, unless start fails.
//
// The long-lived process has neither its working directory nor an open file in the bundle: Windows could
// not remove the bundle otherwise.
//
// The package knows nothing of tasks. It hands a [Params] to the program's [Shim].
package bootstrap

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/log"
)

// Runtime is the name of the runtime in containerd.
const Runtime = "io.containerd.silo.v1"

// Shim is what the command line serves.
type Shim interface {
	// Serve serves p.Listener until ctx ends or the shim has nothing left to do. Its logs go to
	// containerd's log pipe. The first Accept signals to containerd that the shim is ready.
	Serve(ctx context.Context, p Params) error
	// Cleanup releases what a dead shim left behind for p.ID, and only that. It may find nothing, may be
	// called again, and has until ctx ends: containerd waits for 5 s in all.
	Cleanup(ctx context.Context, p Params) error
}

// Params is what containerd passed to the shim.
type Params struct {
	// ID names the container that the shim was started for. Bundle is its directory.
	ID, Namespace, Bundle string
	// TTRPCAddress receives the shim's events. GRPCAddress is containerd's own service, and PublishBinary its program,
	// which publishes events for the daemons that have no such address. Either may be empty.
	TTRPCAddress, GRPCAddress, PublishBinary string
	// LogLevel is the level to log at, by its name in logrus.
	LogLevel string
	// Options are the runtime options that came with start.
	Options Options
	// Listener accepts the clients of Serve. It is nil in Cleanup. Bootstrap closes it after Serve.
	Listener net.Listener

	socket string // the address that serve listens on
	stdin  []byte // what start passes on to serve
	modern bool   // whether containerd sent BootstrapParams
}

// Process is the part of the running process that Main uses.
type Process struct {
	// Args is the command line, with the program's name first.
	Args []string
	// Getenv looks up the environment.
	Getenv func(string) string
	Stdin  io.Reader
	// Stdout is closed by serve once containerd may connect, if it can be closed.
	Stdout io.Writer
	Stderr io.Writer
}

// Self is the process that runs.
func Self() Process {
	return Process{Args: os.Args, Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}

// Main runs the verb on the command line and returns the exit code of the process. A failure is one line on
// p.Stderr that names the field and what to do about it.
func Main(p Process, s Shim) int {
	if err := run(context.Background(), p, s); err != nil {
		name := strings.TrimSuffix(filepath.Base(p.Args[0]), ".exe")
		fmt.Fprintf(p.Stderr, "%s: %s\n", name, oneLine(err))
		return 1
	}
	return 0
}

func run(ctx context.Context, p Process, s Shim) error {
	f, err := parseFlags(p.Args[1:])
	if err != nil {
		return err
	}
	log.L.Logger.SetOutput(io.Discard) // containerd would take a stray line for the reply
	switch {
	case f.version:
		return writeVersion(p)
	case f.info:
		return writeInfo(p)
	}
	switch f.verb {
	case "start":
		return start(p, f)
	case "serve":
		return serve(ctx, p, f, s)
	case "delete":
		return deleteContainer(ctx, p, f, s)
	case "":
		return fmt.Errorf("read the command line: no verb; use start or delete")
	}
	return fmt.Errorf("read the command line: verb %q is unknown; use start or delete", f.verb)
}

// oneLine keeps an error on the one line that containerd shows.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}
