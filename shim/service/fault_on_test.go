//go:build faults

package service_test

import (
	"io"
	"net"

	"github.com/siloshim/siloshim/internal/fault"
)

// files puts what the shim does with files and pipes under its fuse until restore is called. Its clients are at the
// other ends of pipes in memory, for the bubble's clock.
func (f *fuse) files() (restore func()) {
	return fault.Set(func(name string, call func() (any, error)) (any, error) {
		if name == "dial stdio pipe" {
			call = f.dialClient
		}
		return f.transfer("file "+name, call)
	})
}

// dialClient reaches a client that says something and takes what it is told.
func (f *fuse) dialClient() (any, error) {
	ours, theirs := net.Pipe()
	go func() { // it ends with the connection
		if _, err := theirs.Write([]byte("hello\n")); err == nil {
			f.greeted <- struct{}{}
		}
	}()
	go func() { // so does this
		_, _ = io.Copy(io.Discard, theirs)
		_ = theirs.Close()
	}()
	return ours, nil
}

// transfer makes a call that may wait for another one: others go on meanwhile.
func (f *fuse) transfer(name string, do func() (any, error)) (any, error) {
	f.mu.Lock()
	if f.hangs != nil {
		f.mu.Unlock()
		_ = f.falter(name) // it hangs, and does not fail
		return do()
	}
	dead := f.dead
	last := !dead && f.comesLocked(name)
	if last && !f.at.after {
		f.dieLocked()
	}
	f.mu.Unlock()
	if dead || last && !f.at.after {
		return nil, errDead
	}
	v, err := do()
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := v.(io.Closer); ok && err == nil {
		f.keep(c, func() { _ = c.Close() })
	}
	if last || f.dead { // then nobody but the system closes it
		f.dieLocked()
		return nil, errDead
	}
	return v, err
}
