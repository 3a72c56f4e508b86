package hcstest

import (
	"io"
	"path"
	"strings"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// Proc is a simulated process, as its program sees it. A program is a function
// that returns the exit code; it should return soon after Done is closed.
type Proc struct {
	// Parameters are what the process was created with.
	Parameters schema.ProcessParameters
	// Args are the words of the command line.
	Args []string
	// Stdin, Stdout and Stderr read and write nothing where there is no pipe. With
	// a console Stderr is Stdout.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Immutable after creation.
	service *Service
	pid     uint32
	image   string
	created time.Time
	signals chan schema.ProcessSignal
	resized chan schema.ConsoleSize
	done    chan struct{}
	pipes   [3]*pipe

	// Guarded by Service.mu.
	exists bool // false before a late creation, and after one that failed
	usage  Usage
	exit   *hcs.Notification // set when the process ends
	code   uint32
	// noticed says that the service has seen the end. Before that the process is
	// dying: Windows denies the termination of a process that is being terminated.
	noticed bool
}

// Usage is what a process has used.
type Usage struct {
	User, Kernel            time.Duration
	Commit, Private, Shared uint64 // bytes in use
	Reads, ReadBytes        uint64
	Writes, WriteBytes      uint64
}

// signalRoom is how many signals or sizes a process may leave unread.
const signalRoom = 16

// Pid is the process id.
func (p *Proc) Pid() uint32 { return p.pid }

// Done is closed when the process is ended from outside.
func (p *Proc) Done() <-chan struct{} { return p.done }

// Signals are the console control events sent to the process.
func (p *Proc) Signals() <-chan schema.ProcessSignal { return p.signals }

// Resized are the sizes that the process's console takes on.
func (p *Proc) Resized() <-chan schema.ConsoleSize { return p.resized }

// Use sets what the process has used so far.
func (p *Proc) Use(u Usage) {
	p.service.mu.Lock()
	defer p.service.mu.Unlock()
	p.usage = u
}

// Program makes run the program of that file name, without regard to case and
// directory. A command line whose first word names no program fails.
func (s *Service) Program(name string, run func(*Proc) uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.programs[strings.ToLower(name)] = run
}

func imageOf(file string) string { return path.Base(strings.ReplaceAll(file, `\`, "/")) }

// newProcLocked makes the process that parameters describe, not yet running.
func (s *Service) newProcLocked(parameters schema.ProcessParameters) (*Proc, func(*Proc) uint32, hcs.Code) {
	args := words(parameters.CommandLine)
	file := parameters.ApplicationName
	if file == "" && len(args) > 0 {
		file = args[0]
	}
	run, ok := s.programs[strings.ToLower(imageOf(file))]
	if !ok {
		return nil, nil, hcs.CodeWin32FileNotFound
	}
	s.lastPid += 4
	p := &Proc{
		Parameters: parameters, Args: args,
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		service: s, pid: s.lastPid, image: imageOf(file), created: time.Now(),
		signals: make(chan schema.ProcessSignal, signalRoom), resized: make(chan schema.ConsoleSize, signalRoom),
		done: make(chan struct{}),
	}
	if parameters.CreateStdInPipe {
		p.pipes[0] = newPipe()
		p.Stdin = reader{p.pipes[0]}
	}
	if parameters.CreateStdOutPipe {
		p.pipes[1] = newPipe()
		p.Stdout = writer{p.pipes[1]}
	}
	switch {
	case parameters.EmulateConsole:
		p.Stderr = p.Stdout
	case parameters.CreateStdErrPipe:
		p.pipes[2] = newPipe()
		p.Stderr = writer{p.pipes[2]}
	}
	return p, run, 0
}

// information has the client's ends of the pipes.
func (p *Proc) information() hcs.ProcessInformation {
	info := hcs.ProcessInformation{Pid: p.pid}
	if p.pipes[0] != nil {
		info.Stdin = writer{p.pipes[0]}
	}
	if p.pipes[1] != nil {
		info.Stdout = reader{p.pipes[1]}
	}
	if p.pipes[2] != nil {
		info.Stderr = reader{p.pipes[2]}
	}
	return info
}

// endLocked ends p with code, unless it has ended. The event comes later.
func (s *Service) endLocked(p *Proc, code uint32) {
	if p.exit != nil {
		return
	}
	p.endSilentlyLocked(code)
	f, planned := s.planLocked("ProcessExited")
	if planned && !f.Late { // the event is lost
		p.noticed = true
		return
	}
	s.running.Go(func() {
		_ = f.wait(nil) // an event has no error
		s.mu.Lock()
		defer s.mu.Unlock()
		if !p.noticed {
			p.noticed = true
			s.notifyAllLocked(p, *p.exit)
		}
	})
}

// endSilentlyLocked ends p and sends no event. The document of the event has no
// Exited, as that of the service may: the event implies it.
func (p *Proc) endSilentlyLocked(code uint32) {
	if p.exit != nil {
		return
	}
	p.code = code
	p.exit = &hcs.Notification{Event: hcs.EventProcessExited, Document: encode(schema.ProcessStatus{ProcessId: p.pid, ExitCode: code})}
	close(p.done)
	for _, pipe := range p.pipes {
		if pipe != nil {
			pipe.end()
		}
	}
}

// statusLocked is what the service knows of p.
func (p *Proc) statusLocked() schema.ProcessStatus {
	if !p.noticed {
		return schema.ProcessStatus{ProcessId: p.pid}
	}
	return schema.ProcessStatus{ProcessId: p.pid, Exited: true, ExitCode: p.code}
}

// words splits a command line at blanks, but not inside of quotation marks.
func words(line string) []string {
	var (
		list   []string
		word   strings.Builder
		quoted bool
		inside bool
	)
	for _, r := range line {
		switch {
		case r == '"':
			quoted, inside = !quoted, true
		case (r == ' ' || r == '\t') && !quoted:
			if inside {
				list = append(list, word.String())
				word.Reset()
			}
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if inside {
		list = append(list, word.String())
	}
	return list
}
