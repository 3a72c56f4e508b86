//go:build !windows

package main

import "errors"

func logger([]string) (int, error) { return 0, errors.ErrUnsupported }
