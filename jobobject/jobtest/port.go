package jobtest

import "github.com/siloshim/siloshim/jobobject"

// port is a completion port.
type port struct {
	handles int
	queue   []message
	ready   chan struct{} // holds a token while the queue may have something
}

type message struct {
	kind uint32
	key  uintptr
	pid  uint32
}

func (p *port) postLocked(m message) {
	p.queue = append(p.queue, m)
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// Lose makes the next messages of kind get lost, of whatever job; a negative
// number of times means all of them.
func (k *Kernel) Lose(kind jobobject.MessageKind, times int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lost[kind] = times
}

// CreatePort implements [jobobject.Kernel].
func (k *Kernel) CreatePort() (jobobject.Handle, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enterLocked("CreatePort"); err != nil {
		return 0, err
	}
	return k.openLocked(&port{ready: make(chan struct{}, 1)}, 0), nil
}

// AssociatePort implements [jobobject.Kernel]. Members that are there already
// are announced; a second port for the same job is refused.
func (k *Kernel) AssociatePort(jobHandle, portHandle jobobject.Handle, key uintptr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := lookLocked[*job](k, "AssociatePort", jobHandle, uint32(jobobject.AccessSetAttributes))
	if err != nil {
		return err
	}
	e := k.handles[portHandle]
	p, ok := e.object.(*port)
	if !ok {
		return ErrInvalidHandle
	}
	if j.port != nil {
		return ErrInvalidParameter
	}
	j.port, j.key = p, key
	for _, m := range j.members {
		j.postLocked(jobobject.NewProcess, m.pid)
	}
	return nil
}

// WaitPort implements [jobobject.Kernel].
func (k *Kernel) WaitPort(h jobobject.Handle) (kind uint32, key, value uintptr, err error) {
	for {
		m, ready, ok, err := k.takeMessage(h)
		if err != nil {
			return 0, 0, 0, err
		}
		if ok {
			return m.kind, m.key, uintptr(m.pid), nil
		}
		<-ready
	}
}

func (k *Kernel) takeMessage(h jobobject.Handle) (m message, ready <-chan struct{}, ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := lookLocked[*port](k, "WaitPort", h, 0)
	if err != nil || len(p.queue) == 0 {
		if p != nil {
			ready = p.ready
		}
		return m, ready, false, err
	}
	m, p.queue = p.queue[0], p.queue[1:]
	return m, p.ready, true, nil
}

// PostPort implements [jobobject.Kernel].
func (k *Kernel) PostPort(h jobobject.Handle, kind uint32, key uintptr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := lookLocked[*port](k, "PostPort", h, 0)
	if err != nil {
		return err
	}
	p.postLocked(message{kind: kind, key: key})
	return nil
}
