package hcstest

import (
	"fmt"

	"github.com/siloshim/siloshim/hcs"
)

// operation tracks one call.
type operation struct {
	cancel chan struct{} // closed by CancelOperation
	done   chan struct{} // closed when complete

	// Guarded by Service.mu.
	started   bool
	cancelled bool
	complete  bool
	waiting   int
	document  string
	info      hcs.ProcessInformation
	err       error
}

// completeLocked keeps the first outcome and drops the rest.
func (o *operation) completeLocked(document string, err error) {
	if o.complete {
		return
	}
	o.complete, o.document, o.err = true, document, err
	close(o.done)
}

// CreateOperation implements [hcs.Service].
func (s *Service) CreateOperation() (hcs.OperationHandle, error) {
	if err := s.plan("CreateOperation").wait(nil); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls["CreateOperation"]++
	s.last += 16
	h := hcs.OperationHandle(s.last)
	s.ops[h] = &operation{cancel: make(chan struct{}), done: make(chan struct{})}
	return h, nil
}

// CancelOperation implements [hcs.Service].
func (s *Service) CancelOperation(op hcs.OperationHandle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enterLocked("CancelOperation"); err != nil {
		return err
	}
	o, err := s.operationLocked("CancelOperation", op)
	if err != nil {
		return err
	}
	if !o.cancelled {
		o.cancelled = true
		close(o.cancel)
	}
	return nil
}

// CloseOperation implements [hcs.Service].
func (s *Service) CloseOperation(op hcs.OperationHandle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls["CloseOperation"]++
	o, err := s.operationLocked("CloseOperation", op)
	if err != nil {
		return
	}
	if o.waiting > 0 {
		s.misuse = append(s.misuse, "CloseOperation while a call waits for it")
	}
	delete(s.ops, op)
}

// WaitOperation implements [hcs.Service].
func (s *Service) WaitOperation(op hcs.OperationHandle) (string, error) {
	o, err := s.await("WaitOperation", op)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return o.document, o.err
}

// WaitProcessOperation implements [hcs.Service].
func (s *Service) WaitProcessOperation(op hcs.OperationHandle) (hcs.ProcessInformation, error) {
	o, err := s.await("WaitProcessOperation", op)
	if err != nil {
		return hcs.ProcessInformation{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.err != nil {
		return hcs.ProcessInformation{}, o.err
	}
	return o.info, nil
}

func (s *Service) await(call string, op hcs.OperationHandle) (*operation, error) {
	s.mu.Lock()
	s.calls[call]++
	o, err := s.operationLocked(call, op)
	if err != nil || !o.started {
		s.mu.Unlock()
		if err == nil {
			err = hcs.Code(0x80370115) // HCS_E_OPERATION_NOT_STARTED
		}
		return nil, err
	}
	o.waiting++
	s.mu.Unlock()
	<-o.done
	s.mu.Lock()
	o.waiting--
	s.mu.Unlock()
	return o, nil
}

func (s *Service) operationLocked(call string, op hcs.OperationHandle) (*operation, error) {
	o, ok := s.ops[op]
	if !ok {
		s.misuse = append(s.misuse, fmt.Sprintf("%s with operation %d, which is not open", call, op))
		return nil, hcs.CodeWin32InvalidHandle
	}
	return o, nil
}

// begin lets op track effect, a call of that name, at once or as its fault says.
// effect is done without the lock.
func (s *Service) begin(op hcs.OperationHandle, name string, effect func(*operation) (string, error)) error {
	f := s.plan(name)
	if !f.Late {
		if err := f.wait(nil); err != nil {
			return err
		}
	}
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return hcs.CodeServiceDisconnect
	}
	o, err := s.operationLocked(name, op)
	if err == nil && o.started {
		err = hcs.Code(0x80370116) // HCS_E_OPERATION_ALREADY_STARTED
	}
	if err == nil {
		o.started = true
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	finish := func() {
		document, err := "", error(nil)
		if f.Late {
			err = f.wait(o.cancel)
		}
		if err == nil || f.Done {
			d, e := effect(o)
			if err == nil {
				document, err = d, e
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		o.completeLocked(document, err)
	}
	if !f.Late {
		finish()
		return nil
	}
	s.running.Go(finish)
	return nil
}
