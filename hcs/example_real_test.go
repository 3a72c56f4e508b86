package hcs_test

import (
	"os"
	"testing"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// TestExampleComputeCore runs the example on the machine's own service. The container that a file describes must find a
// hello.exe that ends with 3.
func TestExampleComputeCore(t *testing.T) {
	const key = "SILO_HCSTEST_EXAMPLE"
	path := os.Getenv(key)
	if path == "" {
		t.Skipf("no document of a container: %s is not set", key)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document schema.ComputeSystem
	if err := schema.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	client := new(hcs.Client)
	code, err := run(t.Context(), client, document)
	if err != nil || code != 3 {
		t.Errorf("hello.exe ended with %d, %v, want 3", code, err)
	}
	<-client.Idle()
	if list, err := client.Enumerate(t.Context(), &schema.SystemQuery{Ids: []string{"example"}}); err != nil || len(list) > 0 {
		t.Errorf("left over: %v, %v", list, err)
	}
}
