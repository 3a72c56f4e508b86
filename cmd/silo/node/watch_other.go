//go:build !windows

package node

import "errors"

// notifyChanges is not implemented: silo lists containers on Windows.
func notifyChanges(string) (notifier, error) { return nil, errors.ErrUnsupported }
