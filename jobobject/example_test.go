package jobobject_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// kernel is the machine's own where it has jobs, and a simulated one elsewhere.
func kernel() (k jobobject.Kernel, application string) {
	const hostname = `C:\Windows\System32\hostname.exe`
	if runtime.GOOS == "windows" {
		return jobobject.System(), hostname
	}
	sim := jobtest.New()
	sim.Program(hostname, func(p *jobtest.Proc) uint32 {
		fmt.Fprintln(p.Stdout, "machine")
		return 0
	})
	return sim, hostname
}

// A program in a job of its own, limited, waited for, and gone with the job.
func Example() {
	k, application := kernel() // on Windows leave Kernel out
	job, err := jobobject.Create(jobobject.Options{KillOnClose: true, Kernel: k})
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	err = job.SetLimits(context.Background(), jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, ActiveProcesses: 10})
	if err != nil {
		log.Fatal(err)
	}
	p, err := job.Start(jobobject.ProcessOptions{
		Application: application,
		CommandLine: "hostname",
		Env:         os.Environ(),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	code, err := p.Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exit code", code)
	if err := job.WaitEmpty(context.Background()); err != nil {
		log.Fatal(err)
	}
	a, err := job.Accounting()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("processes left:", a.Active)
	// Output:
	// exit code 0
	// processes left: 0
}

// One and a half processors, whatever the machine has.
func ExampleRateOfCPUs() {
	for _, processors := range []int{2, 8, 96} {
		fmt.Println(processors, jobobject.RateOfCPUs(1.5, processors))
	}
	// Output:
	// 2 7500
	// 8 1875
	// 96 156
}

// Validate says which field, and what it may be.
func ExampleLimits_Validate() {
	l := jobobject.Limits{CPUWeight: 12}
	fmt.Println(l.Validate())
	// Output:
	// CPUWeight is 12, want 1 to 9
}
