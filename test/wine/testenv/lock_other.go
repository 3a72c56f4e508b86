//go:build !linux

package testenv

import (
	"errors"
	"fmt"
)

var errLocked = errors.New("locked by another process")

type lock struct{}

func takeLock(path string, _ bool) (*lock, error) { return tryLock(path) }

func tryLock(path string) (*lock, error) {
	return nil, fmt.Errorf("lock %s: %w: it needs Linux", path, ErrMissing)
}

func (*lock) upgrade() bool { return false }

func (*lock) release() error { return nil }
