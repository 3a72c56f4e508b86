//go:build !windows

package main

import (
	"errors"
	"time"
)

func logger([]string) (int, error) { return 0, errors.ErrUnsupported }

func stacks([]string) (int, error) { return 0, errors.ErrUnsupported }

func group([]string) (int, error) { return 0, errors.ErrUnsupported }

func processorTime() (time.Duration, error) { return 0, errors.ErrUnsupported }
func executor([]string) (int, error)        { return 0, errors.ErrUnsupported }
func hostile([]string) (int, error)         { return 0, errors.ErrUnsupported }

func weigh() (uint64, error) { return 0, errors.ErrUnsupported }
