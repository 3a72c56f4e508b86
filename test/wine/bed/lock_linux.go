package bed

import (
	"os"
	"path/filepath"
	"syscall"
)

// lock is an advisory lock on a file. The kernel drops it with the process, so none is ever stale.
type lock struct{ file *os.File }

// takeLock waits for the lock at path, shared or exclusive.
func takeLock(path string, shared bool) (*lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	for {
		if err = syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, &os.PathError{Op: "flock", Path: path, Err: err}
	}
	return &lock{f}, nil
}

// upgrade turns a shared lock into an exclusive one if nobody else holds it.
func (l *lock) upgrade() bool {
	return l != nil && syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// release drops the lock. A nil lock holds nothing.
func (l *lock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
