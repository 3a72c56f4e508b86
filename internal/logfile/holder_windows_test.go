package logfile

import (
	"sync"
	"testing"

	"golang.org/x/sys/windows"
)

// holder has the file open without FILE_SHARE_DELETE: it cannot be renamed.
type holder struct {
	path   string
	mu     sync.Mutex
	handle windows.Handle
	count  int
}

func newHolder(path string) *holder { return &holder{path: path} }

func (h *holder) system() system {
	s := thisSystem
	s.rename = func(from, to string) error {
		err := thisSystem.rename(from, to)
		if err != nil {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.count++
		}
		return err
	}
	return s
}

func (h *holder) hold(t *testing.T) {
	name, err := windows.UTF16PtrFromString(h.path)
	if err != nil {
		t.Error(err)
		return
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	// Between the rename and the creation of the successor there is no file for a moment.
	for h.handle, err = windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, 0, 0); err != nil; {
		h.handle, err = windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, 0, 0)
	}
}

func (h *holder) release(t *testing.T) {
	if err := windows.CloseHandle(h.handle); err != nil {
		t.Error(err)
	}
}

func (h *holder) refused() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}
