package bootstrap

import (
	"crypto/rand"
	"encoding/hex"
)

// nonce makes a name that nobody can have taken beforehand, and that a dead shim's leftovers do not hold.
func nonce() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // it never fails: crypto/rand ends the process first
	return hex.EncodeToString(b)
}
