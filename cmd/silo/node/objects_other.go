//go:build !windows

package node

import (
	"fmt"
	"sync"

	"github.com/siloshim/siloshim/jobobject"
)

// JobNames lists the job objects of this machine whose names a container may have.
func JobNames() ([]string, error) { return nil, jobobject.ErrNotSupported }

// stops are the requests of this process alone; on Windows they reach other processes.
var (
	stopMu sync.Mutex // guards stops
	stops  = map[string]chan struct{}{}
)

// ListenStop returns a channel that [RequestStop] closes, and a function that ends the listening. It returns
// [jobobject.ErrExist] for a name that has a listener.
func ListenStop(id string) (<-chan struct{}, func(), error) {
	id = fold(id)
	stopMu.Lock()
	defer stopMu.Unlock()
	if _, taken := stops[id]; taken {
		return nil, nil, fmt.Errorf("listen for a stop of %s: %w", id, jobobject.ErrExist)
	}
	c := make(chan struct{})
	stops[id] = c
	return c, func() {
		stopMu.Lock()
		defer stopMu.Unlock()
		if stops[id] == c {
			delete(stops, id)
		}
	}, nil
}

// RequestStop makes the supervisor of a container stop it. It returns [ErrNotFound] where there is no supervisor.
func RequestStop(id string) error {
	stopMu.Lock()
	defer stopMu.Unlock()
	c, ok := stops[fold(id)]
	if !ok {
		return fmt.Errorf("find the supervisor of %s: %w", id, ErrNotFound)
	}
	delete(stops, fold(id))
	close(c)
	return nil
}
