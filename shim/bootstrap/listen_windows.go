package bootstrap

import (
	"context"
	"net"

	"github.com/Microsoft/go-winio"
)

// access lets LocalSystem and the administrators in, and nobody else. Without it a pipe may be read by
// everyone on the machine.
// https://learn.microsoft.com/en-us/windows/win32/ipc/named-pipe-security-and-access-rights
const access = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"

// protected is the part of the name space in which only administrators can make pipes. hcsshim has the pipes of runhcs
// there for that reason, WireGuard and Tailscale have theirs.
const protected = `\\.\pipe\ProtectedPrefix\Administrators\`

func newAddress(namespace, id string) string {
	return protected + "containerd-shim-" + namespace + "-" + id + "-" + nonce()
}

// logAddress is the name by which containerd asks for the shim's log.
func logAddress(namespace, id string) string {
	return `\\.\pipe\containerd-shim-` + namespace + "-" + id + "-log"
}

func listen(address string) (net.Listener, error) {
	return winio.ListenPipe(address, &winio.PipeConfig{SecurityDescriptor: access})
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, address)
}
