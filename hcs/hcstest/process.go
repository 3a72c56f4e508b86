package hcstest

import (
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// CreateProcess implements [hcs.Service].
func (s *Service) CreateProcess(op hcs.OperationHandle, h hcs.SystemHandle, document string) (hcs.ProcessHandle, error) {
	sys, done, err := use[*system](s, "CreateProcess", uintptr(h))
	if err != nil {
		return 0, err
	}
	defer done()
	var parameters schema.ProcessParameters
	if schema.Unmarshal([]byte(document), &parameters) != nil || strict(parameters) != "" {
		return 0, s.failure(hcs.CodeInvalidJSON, document)
	}
	s.mu.Lock()
	state := sys.state
	p, run, code := s.newProcLocked(parameters)
	s.mu.Unlock()
	switch {
	case state == schema.StateStopped:
		code = hcs.CodeSystemAlreadyStopped
	case state != schema.StateRunning:
		code = hcs.CodeInvalidState
	}
	if code != 0 {
		// The real service repeats the request in its messages. A client must not
		// pass it on.
		return 0, s.failure(code, "could not create process: "+document)
	}
	err = s.begin(op, "CreateProcess", func(o *operation) (string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if sys.state != schema.StateRunning {
			return "", hcs.CodeSystemAlreadyStopped
		}
		sys.procs, p.exists = append(sys.procs, p), true
		o.info = p.information()
		s.running.Go(func() {
			code := run(p)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.endLocked(p, code)
		})
		return "", nil
	})
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return hcs.ProcessHandle(s.openLocked(p)), nil
}

// OpenProcess implements [hcs.Service].
func (s *Service) OpenProcess(h hcs.SystemHandle, pid, _ uint32) (hcs.ProcessHandle, error) {
	if err := s.plan("OpenProcess").wait(nil); err != nil {
		return 0, err
	}
	sys, done, err := use[*system](s, "OpenProcess", uintptr(h))
	if err != nil {
		return 0, err
	}
	defer done()
	s.mu.Lock()
	var (
		opened uintptr
		code   = hcs.CodeWin32ElementNotFound
	)
	for _, p := range sys.procs {
		switch {
		case p.pid == pid && !p.noticed:
			opened, code = s.openLocked(p), 0
		case p.pid == pid:
			code = hcs.CodeProcessAlreadyStopped
		}
	}
	s.mu.Unlock()
	if code != 0 {
		return 0, s.failure(code, "")
	}
	return hcs.ProcessHandle(opened), nil
}

// CloseProcess implements [hcs.Service].
func (s *Service) CloseProcess(h hcs.ProcessHandle) { s.closeHandle("CloseProcess", uintptr(h)) }

// CallProcess implements [hcs.Service].
func (s *Service) CallProcess(op hcs.OperationHandle, h hcs.ProcessHandle, call hcs.ProcessCall, document string) error {
	p, done, err := use[*Proc](s, call.String(), uintptr(h))
	if err != nil {
		return err
	}
	defer done()
	return s.begin(op, call.String(), func(o *operation) (string, error) {
		switch call {
		case hcs.CallProcessProperties:
			s.mu.Lock()
			defer s.mu.Unlock()
			return encode(p.statusLocked()), nil
		case hcs.CallProcessInfo:
			s.mu.Lock()
			defer s.mu.Unlock()
			if !p.exists {
				return "", hcs.CodeProcessInfoNotAvailable
			}
			o.info = p.information()
			return "", nil
		}
		return "", s.act(p, call, document)
	})
}

// act does something to a process that runs.
func (s *Service) act(p *Proc, call hcs.ProcessCall, document string) error {
	s.mu.Lock()
	code := hcs.Code(0)
	switch {
	case p.noticed || !p.exists:
		code = hcs.CodeProcessAlreadyStopped
	case p.exit != nil && call == hcs.CallTerminateProcess:
		code = hcs.CodeWin32AccessDenied
	case p.exit != nil && call == hcs.CallSignalProcess:
		code = hcs.CodeInvalidState
	case p.exit != nil:
		code = hcs.CodeProcessAlreadyStopped
	case call == hcs.CallTerminateProcess:
		s.endLocked(p, 1)
	case call == hcs.CallSignalProcess:
		code = p.signal(document)
	case call == hcs.CallModifyProcess:
		code = p.modify(document)
	}
	s.mu.Unlock()
	if code != 0 {
		return s.failure(code, "")
	}
	return nil
}

func (p *Proc) signal(document string) hcs.Code {
	var o schema.SignalProcessOptions
	if schema.Unmarshal([]byte(document), &o) != nil || strict(o) != "" {
		return hcs.CodeInvalidJSON
	}
	switch o.Signal {
	case schema.CtrlC, schema.CtrlBreak, schema.CtrlClose, schema.CtrlLogOff, schema.CtrlShutdown:
	default:
		return hcs.CodeWin32InvalidArgument
	}
	select {
	case p.signals <- o.Signal:
	default: // a process that does not listen
	}
	return 0
}

func (p *Proc) modify(document string) hcs.Code {
	var r schema.ProcessModifyRequest
	if schema.Unmarshal([]byte(document), &r) != nil || strict(r) != "" {
		return hcs.CodeInvalidJSON
	}
	switch {
	case r.Operation == schema.OperationConsoleSize && r.ConsoleSize != nil:
		if !p.Parameters.EmulateConsole {
			return hcs.CodeInvalidState
		}
		select {
		case p.resized <- *r.ConsoleSize:
		default:
		}
	case r.Operation == schema.OperationCloseHandle && r.CloseHandle != nil && r.CloseHandle.Handle == schema.StdIn:
		if p.pipes[0] != nil {
			p.pipes[0].end()
		}
	default:
		return hcs.CodeInvalidJSON
	}
	return 0
}
