//go:build !windows

package sim_test

import (
	"os"
	"testing"
)

// openHandles counts this process's descriptors, where the system has a list of them.
func openHandles(t *testing.T) map[string]int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	return map[string]int{"descriptors": len(list)}
}
