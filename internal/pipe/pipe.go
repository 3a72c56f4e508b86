// Package pipe has the access rules of the project's kernel objects, and dials and serves the local named pipes that
// containerd and the shim meet at.
//
// On other systems a Unix socket takes the place of a pipe, so that the packages above are tested as a whole. Its address
// is a path, with or without unix:// before it.
package pipe

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Security descriptors, in SDDL. Both are protected: nothing is inherited from the object's directory.
//
// https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format
const (
	// Administrators grants access to LocalSystem and to the administrators. The default of a pipe lets every user of
	// the machine read it.
	Administrators = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"
	// Owner grants access to the owner of the object, too.
	Owner = Administrators + "(A;;GA;;;OW)"
)

// DialTimeout bounds a [Dial] whose context ends later, or never. A pipe whose server accepts no client stays busy for
// ever.
const DialTimeout = 10 * time.Second

// timedOut says how long a dial that reached its bound has taken. The error wraps [context.DeadlineExceeded].
func timedOut(path string, began time.Time, err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("dial %s: not accepted within %v: %w", path, time.Since(began).Round(time.Millisecond), context.DeadlineExceeded)
}
