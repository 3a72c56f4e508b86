package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/workload"
)

// measureFloor takes samples of what the machine takes without a shim, under the names of the shims' rows.
func measureFloor(ctx context.Context, k *kind) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	k.add("members", "", children+1)
	for _, step := range []struct {
		name string
		run  func(context.Context, *kind) error
	}{
		{"two programs and a pipe", bareStart}, {"programs", barePrograms}, {"pipe", bareCalls}, {"statistics", bareStats}, {"memory", bareMemory}, {"output", bareOutput},
	} {
		if err := step.run(ctx, k); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// bare runs the payload to its end, without a console: a Go program.
func bare(ctx context.Context) error {
	return exec.CommandContext(ctx, workload.Payload, "exit", "0").Run()
}

// bareStart is the floor of a shim's start, which takes two Go programs, and of its first answer.
func bareStart(ctx context.Context, k *kind) error {
	p, err := newEcho()
	if err != nil {
		return err
	}
	defer p.close()
	began := time.Now()
	for range 2 {
		if err := bare(ctx); err != nil {
			return err
		}
	}
	if err := p.dial(ctx); err != nil {
		return err
	}
	if err := p.call(); err != nil {
		return err
	}
	k.time("start and first answer", began)
	return nil
}

// barePrograms is the floor of an exec, of the delete command and of a start. A container has a separate console, which an
// exec shares.
func barePrograms(ctx context.Context, k *kind) error {
	for range execs {
		began := time.Now()
		if err := bare(ctx); err != nil {
			return err
		}
		k.time("exec", began)
		k.time("delete command", began)
		began = time.Now()
		cmd := exec.CommandContext(ctx, workload.Payload, "exit", "0")
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
		if err := cmd.Start(); err != nil {
			return err
		}
		k.time("start", began)
		if err := cmd.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// bareCalls is the floor of a query: a message through a pipe, and one back.
func bareCalls(ctx context.Context, k *kind) error {
	p, err := dialEcho(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	for range calls {
		began := time.Now()
		if err := p.call(); err != nil {
			return err
		}
		for _, name := range []string{"state", "pids"} {
			k.time(name, began)
		}
	}
	return nil
}

// bareStats is the floor of Stats: a message through a pipe and one back, three queries of the job, and one of each program. A query
// that the host refuses is not repeated, as in package stats.
func bareStats(ctx context.Context, k *kind) (failed error) {
	p, err := dialEcho(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	kernel := jobobject.System()
	job, err := jobobject.Create(jobobject.Options{})
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, job.Close()) }()
	var programs []jobobject.Handle
	for range children + 1 {
		program, err := startCat(ctx)
		if err != nil {
			return err
		}
		defer func() { failed = errors.Join(failed, program.end()) }()
		if err := job.Assign(uint32(program.Process.Pid)); err != nil {
			return err
		}
		handle, err := kernel.OpenProcess(uint32(program.Process.Pid), jobobject.ProcessQueryLimited)
		if err != nil {
			return err
		}
		defer kernel.CloseHandle(handle) //nolint:errcheck // it was only queried
		programs = append(programs, handle)
	}
	queries := slices.DeleteFunc([]func() error{
		func() error { _, err := job.Memory(); return err },
		func() error { _, err := job.Storage(); return err },
		func() error { _, err := job.Accounting(); return err },
	}, func(query func() error) bool { return query() != nil })
	for range calls {
		began := time.Now()
		if err := p.call(); err != nil {
			return err
		}
		for _, query := range queries {
			if err := query(); err != nil {
				return err
			}
		}
		for _, program := range programs {
			if _, err := kernel.ProcessMemory(program); err != nil {
				return err
			}
		}
		k.time("stats", began)
	}
	return nil
}

// bareMemory is the working set of a Go program that does nothing. How long it takes to end is the floor of a shutdown.
func bareMemory(ctx context.Context, k *kind) error {
	program, err := startCat(ctx)
	if err != nil {
		return err
	}
	size, err := workingSet(uint32(program.Process.Pid))
	if err != nil {
		return errors.Join(err, program.end())
	}
	k.add("memory", "MB", size/1e6)
	began := time.Now()
	if err := program.end(); err != nil {
		return err
	}
	k.time("shutdown", began)
	return nil
}

// bareOutput is the floor of the output: another program copies from the program's pipe to the pipe that its reader reads.
func bareOutput(ctx context.Context, k *kind) error {
	out, programs, err := widePipe()
	if err != nil {
		return err
	}
	defer out.Close()
	serial++
	path := fmt.Sprintf(`\\.\pipe\peers-%d-copy-%d`, os.Getpid(), serial)
	l, err := winio.ListenPipe(path, nil)
	if err != nil {
		return errors.Join(err, programs.Close())
	}
	defer l.Close()
	took := make(chan arrival, 1)
	go func() { took <- drain(l) }() // ends with the stream or the listener
	to, err := os.OpenFile(path, os.O_WRONLY, 0)
	for errors.Is(err, windows.ERROR_PIPE_BUSY) && ctx.Err() == nil { // until drain accepts
		to, err = os.OpenFile(path, os.O_WRONLY, 0)
	}
	if err != nil {
		return errors.Join(err, programs.Close())
	}
	copier := exec.CommandContext(ctx, workload.Payload, "cat", fmt.Sprint(pipeSize))
	copier.Stdin, copier.Stdout = out, to
	if err := errors.Join(copier.Start(), to.Close()); err != nil {
		return errors.Join(err, programs.Close())
	}
	cmd := exec.CommandContext(ctx, workload.Payload, "flood", fmt.Sprint(flood))
	cmd.Stdout = programs
	began := time.Now()
	if err := errors.Join(cmd.Start(), programs.Close()); err != nil {
		return err
	}
	r := <-took
	if r.err != nil || r.n != flood {
		return fmt.Errorf("%d of %d bytes: %w", r.n, flood, r.err)
	}
	k.add("stdio", "MB/s", float64(flood)/1e6/r.at.Sub(began).Seconds())
	return errors.Join(cmd.Wait(), copier.Wait())
}

// pipeSize is the quota of the shim's pipes, and how much it reads at a time.
const pipeSize = 256 << 10

// widePipe makes a pipe with that quota.
func widePipe() (r, w *os.File, err error) {
	var from, to windows.Handle
	if err := windows.CreatePipe(&from, &to, nil, pipeSize); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(from), "pipe"), os.NewFile(uintptr(to), "pipe"), nil
}
