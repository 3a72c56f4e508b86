package stats_test

import (
	"context"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

// A program samples the container that it runs. Here the kernel is simulated; without the field it is Windows' own.
func Example() {
	kernel := jobtest.New()
	job, err := jobobject.Create(jobobject.Options{Name: `\Container_web`, KillOnClose: true, TrackIO: true, Kernel: kernel})
	if err != nil {
		panic(err)
	}
	defer job.Close()
	if _, err := kernel.Place(job.Name(), `C:\web\server.exe`, jobtest.Self); err != nil {
		panic(err)
	}

	collector := stats.NewCollector(job, stats.Options{KeepHandles: true})
	defer collector.Release()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	sample, err := collector.Sample(ctx, time.Now())
	if err != nil {
		panic(err)
	}
	fmt.Println("processes:", sample.Processes.Active)
	fmt.Println("commit:", sample.Memory.Commit, sample.Metrics[stats.MetricMemory].Quality)
	fmt.Println("private working set:", sample.Memory.PrivateWorkingSet, sample.Metrics[stats.MetricPrivateWorkingSet].Quality)

	list, err := collector.Processes(ctx)
	if err != nil {
		panic(err)
	}
	for _, p := range list {
		fmt.Println(p.Image, p.PrivateWorkingSet)
	}
	// Output:
	// processes: 1
	// commit: 2097152 exact
	// private working set: 1048576 exact
	// server.exe 1048576
}
