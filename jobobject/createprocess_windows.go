package jobobject

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// procThreadAttributeJobList is PROC_THREAD_ATTRIBUTE_JOB_LIST of winbase.h.
const procThreadAttributeJobList = 0x0002000D

func (system) CreateProcess(job Handle, p *ProcessOptions) (Handle, uint32, error) {
	s, err := newSpawn(job, p)
	if err != nil {
		return 0, 0, err
	}
	defer s.release()
	if p.Console == nil {
		if detach, ok := attach(p.ConsoleOf); ok {
			defer func() { go detach() }() // a console host that is suspended meanwhile does not answer
		} else {
			s.flags |= windows.CREATE_NO_WINDOW // with a new console
		}
	}
	return s.run(p)
}

// spawn has what one CreateProcess call points to.
type spawn struct {
	startup    windows.StartupInfoEx
	attributes *windows.ProcThreadAttributeListContainer
	jobs       [1]windows.Handle
	std        []windows.Handle // inheritable duplicates; empty with a console
	flags      uint32
}

func newSpawn(job Handle, p *ProcessOptions) (*spawn, error) {
	attributes, err := windows.NewProcThreadAttributeList(2)
	if err != nil {
		return nil, fmt.Errorf("allocate attribute list: %w", err)
	}
	s := &spawn{
		attributes: attributes,
		jobs:       [1]windows.Handle{windows.Handle(job)},
		flags:      windows.CREATE_UNICODE_ENVIRONMENT | windows.EXTENDED_STARTUPINFO_PRESENT,
	}
	if p.BreakAway && mayBreakAway() {
		s.flags |= windows.CREATE_BREAKAWAY_FROM_JOB
	}
	s.startup.Cb = uint32(unsafe.Sizeof(s.startup))
	// Also with a console: without the flag the child takes over our own handles.
	s.startup.Flags = windows.STARTF_USESTDHANDLES
	if err := errors.Join(s.joinJob(), s.connect(p)); err != nil {
		s.release()
		return nil, err
	}
	s.startup.ProcThreadAttributeList = attributes.List()
	return s, nil
}

func (s *spawn) joinJob() error {
	err := s.attributes.Update(procThreadAttributeJobList, unsafe.Pointer(&s.jobs[0]), unsafe.Sizeof(s.jobs))
	if err != nil {
		return fmt.Errorf("set job list: %w", err)
	}
	return nil
}

// connect gives the child its console or its three handles.
func (s *spawn) connect(p *ProcessOptions) error {
	if p.Console != nil {
		return s.connectConsole(p.Console)
	}
	for _, end := range []struct {
		file *os.File
		to   *windows.Handle
		name string
	}{
		{p.Stdin, &s.startup.StdInput, "stdin"},
		{p.Stdout, &s.startup.StdOutput, "stdout"},
		{p.Stderr, &s.startup.StdErr, "stderr"},
	} {
		h, err := inheritable(end.file)
		if err != nil {
			return fmt.Errorf("duplicate %s: %w", end.name, err)
		}
		*end.to = h
		s.std = append(s.std, h)
	}
	size := uintptr(len(s.std)) * unsafe.Sizeof(s.std[0])
	err := s.attributes.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&s.std[0]), size)
	if err != nil {
		return fmt.Errorf("set handle list: %w", err)
	}
	return nil
}

func (s *spawn) connectConsole(c *Console) error {
	h := c.Handle()
	if h == 0 {
		return fmt.Errorf("console: %w", ErrClosed)
	}
	// The attribute's value is the console handle itself, not a pointer to it.
	value := *(*unsafe.Pointer)(unsafe.Pointer(&h))
	err := s.attributes.Update(windows.PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, value, unsafe.Sizeof(h))
	if err != nil {
		return fmt.Errorf("set console: %w", err)
	}
	return nil
}

// run makes the process.
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessasuserw
func (s *spawn) run(p *ProcessOptions) (Handle, uint32, error) {
	application, err := textOrNil(p.Application)
	if err != nil {
		return 0, 0, err
	}
	// A copy for this call alone: CreateProcess writes into it.
	commandLine, err := textOrNil(p.CommandLine)
	if err != nil {
		return 0, 0, err
	}
	dir, err := textOrNil(p.Dir)
	if err != nil {
		return 0, 0, err
	}
	env := environmentBlock(p.Env)
	inherit := len(s.std) > 0
	var made windows.ProcessInformation
	if p.Token != 0 {
		err = windows.CreateProcessAsUser(windows.Token(p.Token), application, commandLine, nil, nil, inherit,
			s.flags, &env[0], dir, &s.startup.StartupInfo, &made)
	} else {
		err = windows.CreateProcess(application, commandLine, nil, nil, inherit,
			s.flags, &env[0], dir, &s.startup.StartupInfo, &made)
	}
	if err != nil {
		return 0, 0, explainStart(err)
	}
	// The thread handle has no use here, and nothing follows from its loss.
	_ = windows.CloseHandle(made.Thread)
	return Handle(made.Process), made.ProcessId, nil
}

// explainStart classifies the errors of a start. A missing program is [ErrNotExist] already.
func explainStart(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_DIRECTORY):
		return fmt.Errorf("%w: %w", ErrNotDirectory, err)
	case errors.Is(err, windows.ERROR_BAD_EXE_FORMAT), errors.Is(err, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH),
		errors.Is(err, windows.ERROR_INVALID_EXE_SIGNATURE), errors.Is(err, windows.ERROR_EXE_MARKED_INVALID):
		return fmt.Errorf("%w: %w", ErrNotExecutable, err)
	}
	return err
}

func (s *spawn) release() {
	s.attributes.Delete()
	for _, h := range s.std {
		_ = windows.CloseHandle(h)
	}
}

// inheritable returns a duplicate of f, or of the NUL device for nil, that a
// child may inherit. f itself stays private, so that no process started
// elsewhere at this moment takes it along.
func inheritable(f *os.File) (windows.Handle, error) {
	if f == nil {
		return openNull()
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var (
		dup  windows.Handle
		derr error
	)
	self := windows.CurrentProcess()
	err = conn.Control(func(fd uintptr) {
		derr = windows.DuplicateHandle(self, windows.Handle(fd), self, &dup, 0, true, windows.DUPLICATE_SAME_ACCESS)
	})
	return dup, errors.Join(err, derr)
}

func openNull() (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString("NUL")
	if err != nil {
		return 0, err
	}
	sa := windows.SecurityAttributes{InheritHandle: 1}
	sa.Length = uint32(unsafe.Sizeof(sa))
	return windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, &sa, windows.OPEN_EXISTING, 0, 0)
}

func textOrNil(s string) (*uint16, error) {
	if s == "" {
		return nil, nil
	}
	return windows.UTF16PtrFromString(s)
}

// mayBreakAway reports whether the job of this process lets a child out that asks
// for it. CreateProcess refuses the flag CREATE_BREAKAWAY_FROM_JOB in any other
// job. A process without a job, whose query Windows denies, has nothing to leave.
//
// The job can change at any time, so the answer is not kept. Of nested jobs it is
// the innermost; the child leaves as many of them as allow it.
//
// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
func mayBreakAway() bool {
	const ownJob Handle = 0
	var info extendedLimit
	err := queryJob(ownJob, classExtendedLimit, &info)
	return err == nil && info.BasicLimitInformation.LimitFlags&limitBreakaway != 0
}
