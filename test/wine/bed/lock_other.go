//go:build !linux

package bed

import "fmt"

type lock struct{}

func takeLock(path string, _ bool) (*lock, error) {
	return nil, fmt.Errorf("lock %s: %w: it runs on Linux", path, ErrAbsent)
}

func (*lock) upgrade() bool { return false }

func (*lock) release() error { return nil }
