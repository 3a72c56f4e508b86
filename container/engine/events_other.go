//go:build !windows

package engine

// InheritEvents does nothing: this system has no console control events.
func InheritEvents() error { return nil }
