package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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
	p, err := newEcho()
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.dial(ctx); err != nil {
		return err
	}
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

// bareStats is the floor of Stats: a message through a pipe and one back, three queries of the job, and one of each program.
func bareStats(ctx context.Context, k *kind) (err error) {
	p, err := newEcho()
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.dial(ctx); err != nil {
		return err
	}
	kernel := jobobject.System()
	job, err := jobobject.Create(jobobject.Options{KillOnClose: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	var programs []jobobject.Handle
	for range children + 1 {
		program, err := job.Start(jobobject.ProcessOptions{
			Application: workload.Payload, CommandLine: workload.Payload + " sleep 600", Env: os.Environ(),
		})
		if err != nil {
			return err
		}
		handle, err := kernel.OpenProcess(program.Pid(), jobobject.ProcessQueryLimited)
		if err := errors.Join(err, program.Close()); err != nil {
			return err
		}
		defer kernel.CloseHandle(handle) //nolint:errcheck // it was only queried
		programs = append(programs, handle)
	}
	for range calls {
		began := time.Now()
		if err := p.call(); err != nil {
			return err
		}
		_, _ = job.Memory()  // Wine may refuse it
		_, _ = job.Storage() // and this
		if _, err := job.Accounting(); err != nil {
			return err
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
	cmd := exec.CommandContext(ctx, workload.Payload, "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := in.Write([]byte("x\n")); err != nil {
		return err
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // it has started
		return err
	}
	size, err := workingSet(uint32(cmd.Process.Pid))
	if err != nil {
		return err
	}
	k.add("memory", "MB", size/1e6)
	began := time.Now()
	if err := in.Close(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
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

// echo is a pipe whose server sends back what it receives.
type echo struct {
	listener io.Closer
	path     string
	conn     io.ReadWriteCloser
}

func newEcho() (*echo, error) {
	serial++
	p := &echo{path: fmt.Sprintf(`\\.\pipe\peers-%d-echo-%d`, os.Getpid(), serial)}
	l, err := winio.ListenPipe(p.path, nil)
	if err != nil {
		return nil, err
	}
	p.listener = l
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return // close came first
		}
		_, _ = io.Copy(conn, conn) // until the client closes
		_ = conn.Close()
	}()
	return p, nil
}

func (p *echo) dial(ctx context.Context) (err error) {
	p.conn, err = winio.DialPipeContext(ctx, p.path)
	return err
}

// call sends a message as small as a request, and reads it back.
func (p *echo) call() error {
	message := make([]byte, 64)
	if _, err := p.conn.Write(message); err != nil {
		return err
	}
	_, err := io.ReadFull(p.conn, message)
	return err
}

func (p *echo) close() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
	_ = p.listener.Close()
}
