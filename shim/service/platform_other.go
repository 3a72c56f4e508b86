//go:build !windows

package service

func osVersion() string { return "" }
