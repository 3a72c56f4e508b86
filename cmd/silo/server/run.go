package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// Killed is the exit code of a program that did not answer the request to end: 128 + 9, as containers say.
const Killed = 137

// ErrNoProgram says that there is no such program inside of the container.
var ErrNoProgram = errors.New("no such program in the container")

// Options describe a container and its one program.
type Options struct {
	Host engine.Engine // its Service must be set
	ID   string
	Dir  string // of the container; it must be there. See [Scratch]
	Plan *plan.WCOW
	// Output and Errors take what the program writes; they may be the same.
	Output, Errors io.Writer
	// Signals are raised one after the other when ctx ends, each with Grace to answer, before the program is ended.
	Signals []schema.ProcessSignal
	Grace   time.Duration
	// Started is told the pid of the program; nil for nobody.
	Started func(pid uint32)
}

// Ledger is the file in the directory of a container, and in a bundle of the shim, that lists what has to be given back.
const Ledger = "silo-resources.json"

// Scratch is the layer to write to of the container in a directory. It is made with the container and removed by Run.
func Scratch(dir string) string { return filepath.Join(dir, "scratch") }

// Run makes the container, runs the program in it to its end and gives everything back. When ctx ends, the program is
// asked to end by its signals, and is ended. An error says what could not be done; whatever was made until then is gone
// again, or [Left] says that something is, for [host.Host.Cleanup].
func Run(ctx context.Context, o Options) (code uint32, err error) {
	container, err := o.Host.WCOW(ctx, o.ID, o.Dir, o.Plan)
	if err != nil {
		return 0, errors.Join(err, removeScratch(o.Dir))
	}
	defer func() {
		if cerr := container.Close(); cerr != nil {
			err = errors.Join(err, cerr) // the layers may be in use, so the scratch stays with the list of them
			return
		}
		err = errors.Join(err, removeScratch(o.Dir))
	}()
	system, err := o.Host.Service.Open(ctx, o.ID)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	if err := system.Start(ctx); err != nil {
		return 0, fmt.Errorf("start container %s: %w", o.ID, err)
	}
	return o.inside(ctx, system)
}

func removeScratch(dir string) error {
	if err := os.RemoveAll(Scratch(dir)); err != nil {
		return fmt.Errorf("remove the layer to write to: %w", err)
	}
	return nil
}

// inside runs the program in a container that has started, and shuts that down after it.
func (o *Options) inside(ctx context.Context, system *hcs.System) (code uint32, err error) {
	// A stop that comes now finds the program begun: it is asked to end like any other. The service's bounds hold.
	process, err := system.CreateProcess(context.WithoutCancel(ctx), o.Plan.Process.Parameters(false, true, true))
	if errors.Is(err, hcs.ErrNotFound) {
		return 0, fmt.Errorf("%w: %w", ErrNoProgram, err)
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, process.Close()) }()
	if o.Started != nil {
		o.Started(process.Pid())
	}
	written := make(chan error, 2)
	pour := func(to io.Writer, from io.Reader) { // ends with the stream, which process.Close closes at the latest
		_, err := io.Copy(to, from)
		if err != nil {
			_, _ = io.Copy(io.Discard, from) // the program must not block on output that nobody can take
			err = fmt.Errorf("write the output of the program: %w", err)
		}
		written <- err
	}
	go pour(o.Output, process.Stdout())
	go pour(o.Errors, process.Stderr())
	code, err = o.await(ctx, process)
	shutDown(system)
	return code, errors.Join(err, drain(written))
}

// shutdownTime is how long the inside may take to shut down in order, so that what it holds gets to the disk. A
// container that takes longer is terminated when it is given back.
const shutdownTime = 30 * time.Second

func shutDown(system *hcs.System) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if system.ShutDown(ctx) == nil {
		_, _ = system.Wait(ctx) // how it ended is of no interest
	}
}

// drainTime bounds the wait for output behind the end of the program.
const drainTime = 5 * time.Second

func drain(written <-chan error) (err error) {
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	for range cap(written) {
		select {
		case werr := <-written:
			err = errors.Join(err, werr)
		case <-timer.C:
			return err
		}
	}
	return err
}

// await waits for the end of the program, or brings it about when ctx ends.
func (o *Options) await(ctx context.Context, p *hcs.Process) (uint32, error) {
	select {
	case <-p.Exited():
		return p.Wait(context.Background())
	case <-ctx.Done():
	}
	for _, signal := range o.Signals {
		if o.ask(p, signal) {
			return p.Wait(context.Background())
		}
	}
	killing, done := context.WithTimeout(context.Background(), shutdownTime)
	defer done()
	if err := p.Kill(killing); err != nil && !errors.Is(err, hcs.ErrExited) {
		return Killed, err
	}
	return Killed, nil
}

// ask raises one signal and tells whether the program has ended by it.
func (o *Options) ask(p *hcs.Process, signal schema.ProcessSignal) (ended bool) {
	ctx, cancel := context.WithTimeout(context.Background(), o.Grace)
	defer cancel()
	go func() { _ = p.Signal(ctx, signal) }() // some versions answer only when the program has ended; ends with ctx
	select {
	case <-p.Exited():
		return true
	case <-ctx.Done():
		return false
	}
}

// Left tells whether a container with this directory still has something of the machine.
func Left(dir string) bool {
	for _, path := range []string{filepath.Join(dir, Ledger), Scratch(dir)} {
		if _, err := os.Lstat(path); err == nil {
			return true
		}
	}
	return false
}
