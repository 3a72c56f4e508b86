//go:build !windows

package main

import "errors"

func logger([]string) (int, error) { return 0, errors.ErrUnsupported }

// stacks: only the Windows payload knows how to ask.
func stacks([]string) (int, error) { return 0, errors.ErrUnsupported }

// weigh: only the Windows payload knows.
func weigh() (uint64, error) { return 0, errors.ErrUnsupported }
