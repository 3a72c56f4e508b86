package jobtest

import (
	"io"
	"net"

	"github.com/siloshim/siloshim/jobobject"
)

// console is a pseudo console as Windows before build 26100 has it: its close
// ends the attached processes with an event and waits for them, and then for its
// output to be read to the end.
type console struct {
	keyboard net.Conn      // what is typed arrives here
	screen   net.Conn      // what is shown goes there
	typed    chan []byte   // closed when the keyboard is
	shown    chan []byte   // to the painter
	closing  chan struct{} // closed when all attached processes have ended
	painted  chan struct{} // closed when the output was read to its end, or its reader is gone

	attached []*Proc // guarded by the kernel's mu
}

// host is the console of processes without a pseudo console. It exists until the last of them has ended or detached.
type host struct {
	attached int   // guarded by the kernel's mu
	proc     *Proc // the console host; nil without [Kernel.ConsoleHosts]
}

// consoleHost is the image of the process that Windows starts for a console.
const consoleHost = "conhost.exe"

// ConsoleHosts makes the host of each new console a process, which is a
// member of the job of the first process on the console, as on Windows. Without it
// a test counts its own programs only.
func (k *Kernel) ConsoleHosts() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hosts = true
}

// openHostLocked is the console of a new process: that of the process with pid
// other, or a new one.
func (k *Kernel) openHostLocked(p *Proc, other uint32) {
	if o := k.procs[other]; o != nil && !o.ending && o.host != nil {
		o.host.attached++
		p.host = o.host
		return
	}
	p.host = &host{attached: 1}
	if !k.hosts {
		return
	}
	h := k.newProc([]string{consoleHost}, p.pid)
	h.pid, h.created = k.newPidLocked(), k.now
	if p.job != nil && p.job.joinLocked(h) != nil { // the limit of processes is reached
		k.freePids = append(k.freePids, h.pid)
		return
	}
	k.procs[h.pid] = h
	p.host.proc = h
}

// detachLocked takes a process off its console, and returns the host that ends with it.
func (p *Proc) detachLocked() (hosts []*Proc) {
	h := p.host
	p.host = nil
	if h == nil {
		return nil
	}
	h.attached--
	if h.attached > 0 || h.proc == nil {
		return nil
	}
	return []*Proc{h.proc}
}

// FreeConsole detaches the process from its console, if that is not a pseudo
// console. Its children do not get one either.
func (p *Proc) FreeConsole() {
	p.kernel.mu.Lock()
	ending := p.detachLocked()
	p.kernel.mu.Unlock()
	p.kernel.kill(ending, 0)
}

// lastFrame is what a console shows when it is closed. It waits for a reader.
const lastFrame = "\x1b[?25h"

// CreateConsole implements [jobobject.Kernel]. The streams are in memory, for a
// clock that stands still while real ones are waited for.
func (k *Kernel) CreateConsole(_, _ uint16) (jobobject.Handle, io.WriteCloser, io.ReadCloser, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enterLocked("CreateConsole"); err != nil {
		return 0, nil, nil, err
	}
	c := &console{
		typed: make(chan []byte), shown: make(chan []byte), closing: make(chan struct{}), painted: make(chan struct{}),
	}
	in, keyboard := net.Pipe()
	screen, out := net.Pipe()
	c.keyboard, c.screen = keyboard, screen
	k.running.Go(c.listen)
	k.running.Go(c.paint)
	return k.openLocked(c, 0), in, out, nil
}

// ResizeConsole implements [jobobject.Kernel].
func (k *Kernel) ResizeConsole(h jobobject.Handle, _, _ uint16) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, err := lookLocked[*console](k, "ResizeConsole", h, 0)
	return err
}

// CloseConsole implements [jobobject.Kernel].
func (k *Kernel) CloseConsole(h jobobject.Handle) {
	k.mu.Lock()
	c, err := lookLocked[*console](k, "CloseConsole", h, 0)
	var attached []*Proc
	if err == nil {
		delete(k.handles, h)
		attached = c.attached
	}
	k.mu.Unlock()
	if err != nil {
		return
	}
	for _, p := range attached {
		k.raise(p, jobobject.CtrlClose)
	}
	for _, p := range attached {
		<-p.exited
	}
	close(c.closing)
	<-c.painted
}

// listen hands what is typed to the processes that read.
func (c *console) listen() {
	defer close(c.typed)
	for {
		b := make([]byte, 1024)
		n, err := c.keyboard.Read(b)
		if err != nil {
			return
		}
		select {
		case c.typed <- b[:n]:
		case <-c.closing:
			return
		}
	}
}

// paint hands what is shown to the reader of the output.
func (c *console) paint() {
	defer close(c.painted)
	defer c.keyboard.Close()
	defer c.screen.Close()
	for {
		select {
		case b := <-c.shown:
			if _, err := c.screen.Write(b); err != nil {
				<-c.closing // no reader
				return
			}
		case <-c.closing:
			_, _ = c.screen.Write([]byte(lastFrame)) // a reader that is gone misses it
			return
		}
	}
}

// terminal is the console as one process has it.
type terminal struct {
	*console
	proc *Proc
}

func (t terminal) Read(b []byte) (int, error) {
	select {
	case typed, ok := <-t.typed:
		if !ok {
			return 0, io.EOF
		}
		return copy(b, typed), nil
	case <-t.proc.done:
		return 0, io.ErrClosedPipe
	}
}

func (t terminal) Write(b []byte) (int, error) {
	select {
	case t.shown <- append([]byte(nil), b...):
		return len(b), nil
	case <-t.painted: // no reader
		return len(b), nil
	case <-t.proc.done:
		return 0, io.ErrClosedPipe
	}
}

func (t terminal) Close() error { return nil }
