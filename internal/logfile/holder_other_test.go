//go:build !windows

package logfile

import (
	"errors"
	"sync"
	"testing"
)

// holder simulates another process that has the file open without the right to rename it.
type holder struct {
	mu    sync.Mutex
	held  bool
	count int
}

func newHolder(string) *holder { return new(holder) }

func (h *holder) system() system {
	s := thisSystem
	s.rename = func(from, to string) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.held {
			h.count++
			return errors.New("the process cannot access the file because it is being used by another process")
		}
		return thisSystem.rename(from, to)
	}
	return s
}

func (h *holder) hold(*testing.T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = true
}

func (h *holder) release(*testing.T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = false
}

func (h *holder) refused() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}
