//go:build !windows

package host

func inheritEvents() error { return nil }
