//go:build !windows

package node

import "os"

// protection names what the data of a [Launch] is protected with: here by the mode of its file alone.
const protection = "none"

func protect(plain []byte) ([]byte, error)    { return plain, nil }
func unprotect(sealed []byte) ([]byte, error) { return sealed, nil }

// writeOwned writes a file that its owner alone may read.
func writeOwned(path string, text []byte) error { return os.WriteFile(path, text, 0o600) }
