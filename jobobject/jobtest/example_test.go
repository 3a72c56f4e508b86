package jobtest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// A job with a hard cap, on a kernel whose time the program makes pass.
func ExampleKernel() {
	k := jobtest.New()
	ready := make(chan struct{})
	k.Program("spin.exe", func(p *jobtest.Proc) uint32 {
		p.Busy(2, 0) // two processors, until it ends
		close(ready)
		<-p.Done()
		return 0
	})
	job, err := jobobject.Create(jobobject.Options{Kernel: k, KillOnClose: true})
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	// One of the four processors.
	if err := job.SetLimits(context.Background(), jobobject.Limits{KillOnClose: true, CPURate: jobobject.RateOfCPUs(1, jobtest.DefaultProcessors)}); err != nil {
		log.Fatal(err)
	}
	p, err := job.Start(jobobject.ProcessOptions{CommandLine: "spin.exe"})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	<-ready
	k.Advance(time.Minute)
	a, err := job.Accounting()
	fmt.Println(a.UserTime, err)

	k.FailNth("Accounting", 1, io.ErrUnexpectedEOF)
	_, err = job.Accounting()
	fmt.Fprintln(os.Stdout, err)
	// Output:
	// 1m0s <nil>
	// query accounting of job: unexpected EOF
}
