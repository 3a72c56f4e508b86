//go:build !windows

package engine

func inheritEvents() error { return nil }
