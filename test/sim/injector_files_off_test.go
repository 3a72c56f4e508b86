//go:build !faults

package sim_test

// files does nothing: this build has no points at files and pipes.
func (f *injector) files() (restore func()) { return func() {} }
