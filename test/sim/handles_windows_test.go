package sim_test

import (
	"os"
	"testing"

	"github.com/siloshim/siloshim/test/handles"
)

// openHandles counts this process's handles by type. Those of the Go runtime's threads come and go with the load of the
// machine. The file /proc/self/fd, which Wine shows, has the descriptors of Wine's server: of all processes together.
func openHandles(t *testing.T) map[string]int {
	t.Helper()
	counts, err := handles.Of(uint32(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	return counts.Others()
}
