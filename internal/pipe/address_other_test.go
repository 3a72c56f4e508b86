//go:build !windows

package pipe

import (
	"path/filepath"
	"testing"
)

// address is one that nothing listens at.
func address(t *testing.T) string { return "unix://" + filepath.Join(t.TempDir(), "p") }
