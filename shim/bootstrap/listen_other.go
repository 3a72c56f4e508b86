//go:build !windows

package bootstrap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Elsewhere unix sockets stand in for named pipes, so that the package is tested as a whole.
const unixScheme = "unix://"

func newAddress(namespace, id string) string {
	return unixScheme + socketPath(namespace, id, nonce())
}

func logAddress(namespace, id string) string {
	return unixScheme + socketPath(namespace, id, "log")
}

// socketPath is short: a socket's path has 107 bytes.
func socketPath(namespace, id, suffix string) string {
	sum := sha256.Sum256([]byte(namespace + "/" + id))
	return filepath.Join(os.TempDir(), "silo-"+hex.EncodeToString(sum[:6])+"-"+suffix)
}

func listen(address string) (net.Listener, error) {
	return net.Listen("unix", strings.TrimPrefix(address, unixScheme))
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", strings.TrimPrefix(address, unixScheme))
}
