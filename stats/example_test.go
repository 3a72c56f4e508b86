package stats_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/stats"
)

// exampleKernel simulates a kernel with one container. A program on Windows leaves the field Kernel unset.
func exampleKernel(id string) (*jobtest.Kernel, *jobobject.Job) {
	kernel := jobtest.New()
	job, err := jobobject.Create(jobobject.Options{Name: stats.SiloName(id), KillOnClose: true, TrackIO: true, Kernel: kernel})
	if err != nil {
		panic(err)
	}
	if _, err := kernel.Place(job.Name(), `C:\web\server.exe`, jobtest.Self); err != nil {
		panic(err)
	}
	return kernel, job
}

// A program samples the container that it runs, and keeps handles between samples.
func Example() {
	_, job := exampleKernel("web")
	defer job.Close()
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

// A program watches a container that another program made. It does not keep the container's job open.
func ExampleNewSiloCollector() {
	kernel, job := exampleKernel("web")
	collector := stats.NewSiloCollector("web", stats.NamedOptions{Kernel: kernel})
	sample, err := collector.Sample(context.Background(), time.Time{})
	fmt.Println(sample.Processes.Active, sample.Metrics[stats.MetricStarted].Quality, err)

	if err := job.Close(); err != nil {
		panic(err)
	}
	_, err = collector.Sample(context.Background(), time.Time{})
	fmt.Println(errors.Is(err, jobobject.ErrNotExist))
	// Output:
	// 1 approximate <nil>
	// true
}

// noService stands for an open system of package hcs.
type noService struct{}

func (noService) Properties(_ context.Context, types ...schema.PropertyType) (*schema.Properties, error) {
	fmt.Println("the service is queried for", types)
	return &schema.Properties{Statistics: &schema.Statistics{Storage: &schema.StorageStats{ReadSizeBytes: 4096}}}, nil
}

// What the kernel refuses comes from the Host Compute Service.
func ExampleSystem() {
	kernel, job := exampleKernel("web")
	defer job.Close()
	kernel.Fail("IOAttribution", -1, jobobject.ErrNotSupported)
	system := stats.NewSystem(stats.SystemOptions{ID: "web", SystemType: "container", Service: noService{}, Kernel: kernel})
	p, err := system.Properties(context.Background(), time.Now(), schema.PropertyStatistics)
	if err != nil {
		panic(err)
	}
	for _, m := range []stats.Metric{stats.MetricMemory, stats.MetricStorage} {
		fmt.Println(m, "from", p.Statistics.Metrics[m].Source)
	}
	// Output:
	// the service is queried for [Statistics]
	// memory from job
	// storage from service
}

// A tool lists the processes of all containers in few kernel calls.
func ExampleNode() {
	kernel, job := exampleKernel("web")
	defer job.Close()
	node := stats.NewNode(kernel) // kept from one list to the next
	lists, err := node.Processes(context.Background(), []*jobobject.Job{job})
	if err != nil {
		panic(err)
	}
	for _, p := range lists[0] {
		fmt.Println(p.Image, p.Threads > 0)
	}
	// Output:
	// server.exe true
}

// The use of a pod is the sum of its containers.
func ExampleSample_Add() {
	pod := stats.Idle(time.Now(), time.Time{})
	for range 2 {
		_, job := exampleKernel("web")
		one, err := stats.NewCollector(job, stats.Options{}).Sample(context.Background(), time.Time{})
		if err != nil {
			panic(err)
		}
		pod.Add(&one)
		job.Close()
	}
	fmt.Println(pod.Processes.Active, "processes,", pod.Memory.Commit, "bytes of commit")
	// Output:
	// 2 processes, 4194304 bytes of commit
}
