//go:build !windows

package shim

func osVersion() string { return "" }
