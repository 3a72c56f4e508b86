//go:build !windows

package main

import "errors"

func logger([]string) (int, error) { return 0, errors.ErrUnsupported }

func stacks([]string) (int, error) { return 0, errors.ErrUnsupported }

func group([]string) (int, error) { return 0, errors.ErrUnsupported }

func hostile([]string) (int, error) { return 0, errors.ErrUnsupported }

func weigh() (uint64, error) { return 0, errors.ErrUnsupported }
