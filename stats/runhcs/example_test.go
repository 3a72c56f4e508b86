package runhcs_test

import (
	"fmt"
	"time"

	"github.com/containerd/typeurl/v2"

	"github.com/siloshim/siloshim/stats"
	"github.com/siloshim/siloshim/stats/runhcs"
)

// A shim answers Stats with the message in an Any.
func ExampleStatistics() {
	sample := stats.Idle(time.Now(), time.Now())
	message, err := typeurl.MarshalAny(runhcs.Statistics(sample))
	if err != nil {
		panic(err)
	}
	fmt.Println(message.GetTypeUrl())
	// Output:
	// containerd.runhcs.stats.v1.Statistics
}
