package pipe

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

const (
	// Local begins the name of every pipe of this machine. A pipe of another machine, \\server\pipe\, is never wanted.
	Local = `\\.\pipe\`
	// Protected is the part of the name space in which only administrators can make pipes. hcsshim, WireGuard and
	// Tailscale have theirs there.
	Protected = Local + `ProtectedPrefix\Administrators\`
)

// IsLocal reports whether path is the name of a pipe of this machine.
func IsLocal(path string) bool {
	return len(path) > len(Local) && strings.EqualFold(path[:len(Local)], Local)
}

// Listen serves a pipe that [Administrators] may open. It has no buffer: a write returns when its bytes were read, so that
// none is lost when the pipe is closed.
func Listen(path string) (net.Listener, error) {
	return winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: Administrators})
}

// Dial connects to a pipe and waits while it is busy, until ctx ends or for [DialTimeout]. It returns [fs.ErrNotExist]
// at once for a pipe that does not exist, and wraps [context.DeadlineExceeded] for one that was busy all the time. The
// server cannot impersonate the client (SECURITY_ANONYMOUS, the default of go-winio).
func Dial(ctx context.Context, path string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	began := time.Now()
	conn, err := winio.DialPipeContext(ctx, path)
	return conn, timedOut(path, began, err)
}

// SecurityAttributes makes the argument of the calls that create a kernel object, for a descriptor in SDDL.
//
// https://learn.microsoft.com/windows/win32/api/wtypesbase/ns-wtypesbase-security_attributes
func SecurityAttributes(sddl string) (*windows.SecurityAttributes, error) {
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return nil, fmt.Errorf("parse security descriptor %s: %w", sddl, err)
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	return sa, nil
}
