package testenv

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// errLocked means that another process or another file descriptor has the lock.
var errLocked = errors.New("locked by another process")

// lock is an advisory lock on a file. The kernel releases it when the process exits, so none becomes stale.
type lock struct{ file *os.File }

// takeLock waits for the lock at path, shared or exclusive.
func takeLock(path string, shared bool) (*lock, error) {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	return flock(path, how)
}

// tryLock takes the exclusive lock at path, or returns errLocked at once.
func tryLock(path string) (*lock, error) {
	return flock(path, syscall.LOCK_EX|syscall.LOCK_NB)
}

func flock(path string, how int) (*lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(f.Fd()), how)
	}
	if err == nil {
		return &lock{f}, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	return nil, errors.Join(&os.PathError{Op: "flock", Path: path, Err: err}, f.Close())
}

// upgrade makes a shared lock exclusive, if no other process has it.
func (l *lock) upgrade() bool {
	return l != nil && syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// release releases the lock. It may be called on a nil lock.
func (l *lock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
