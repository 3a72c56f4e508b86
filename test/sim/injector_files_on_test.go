//go:build faults

package sim_test

import (
	"io"
	"net"

	"github.com/siloshim/siloshim/internal/fault"
)

// files adds the shim's calls on files and pipes until restore is called. The client's ends of the pipes are in memory, as
// the bubble's clock requires.
func (f *injector) files() (restore func()) {
	return fault.Set(func(name string, call func() (any, error)) (any, error) {
		if name == "dial stdio pipe" {
			call = f.dialClient
		}
		return f.transfer("file "+name, call)
	})
}

// dialClient connects to a client that writes a line and reads all output.
func (f *injector) dialClient() (any, error) {
	ours, theirs := net.Pipe()
	go func() { // ends with the connection
		if _, err := theirs.Write([]byte("hello\n")); err == nil {
			f.stdinRead <- struct{}{}
		}
	}()
	go func() { // ends with the connection
		_, _ = io.Copy(io.Discard, theirs)
		_ = theirs.Close()
	}()
	return ours, nil
}

// transfer makes a call that may wait for another one, so it does not hold the lock.
func (f *injector) transfer(name string, do func() (any, error)) (any, error) {
	f.mu.Lock()
	if f.hangs != nil {
		f.mu.Unlock()
		_ = f.hangOrFail(name) // it hangs, and does not fail
		return do()
	}
	exited := f.exited
	last := !exited && f.countLocked(name)
	if last && !f.at.after {
		f.exitLocked()
	}
	f.mu.Unlock()
	if exited || last && !f.at.after {
		return nil, errExited
	}
	v, err := do()
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := v.(io.Closer); ok && err == nil {
		f.opened(c, func() { _ = c.Close() })
	}
	if last || f.exited { // only the system closes it
		f.exitLocked()
		return nil, errExited
	}
	return v, err
}
