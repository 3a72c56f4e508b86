package jobobject_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// kernel is that of the machine on Windows, and a simulated one elsewhere.
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

// A program in a job with limits.
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
		Args:        []string{"hostname"},
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

// A job whose memory limit refuses an allocation sends a message. As messages can be
// lost, a program queries the job after each.
func ExampleJob_Messages() {
	k := jobtest.New() // on Windows leave Kernel out
	k.Program("grow.exe", func(p *jobtest.Proc) uint32 {
		if !p.Commit(64 << 20) {
			return 3 // out of memory
		}
		return 0
	})
	job, err := jobobject.Create(jobobject.Options{KillOnClose: true, Kernel: k})
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	messages := job.Messages() // before the first process, so that none is missed
	ctx := context.Background()
	if err := job.SetLimits(ctx, jobobject.Limits{KillOnClose: true, JobMemory: 32 << 20}); err != nil {
		log.Fatal(err)
	}
	p, err := job.Start(jobobject.ProcessOptions{Args: []string{"grow.exe"}})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	for m := range messages {
		if m.Kind.OfProcess() && m.Pid != p.Pid() {
			continue
		}
		fmt.Println(m.Kind)
		if m.Kind == jobobject.ActiveProcessZero {
			break
		}
	}
	code, err := p.Wait(ctx)
	fmt.Println("exit code", code, err)
	// Output:
	// new process
	// job memory limit
	// exit process
	// active process zero
	// exit code 3 <nil>
}

// A reader opens a job by its name and signals one of its processes. No other process
// can be hit, because the open Member keeps the pid.
func ExampleMember() {
	k := jobtest.New() // on Windows leave Kernel out
	listening := make(chan struct{})
	k.Program("server.exe", func(p *jobtest.Proc) uint32 {
		events := p.Events() // installs a handler
		close(listening)
		fmt.Println("server got", <-events)
		return 0
	})
	owner, err := jobobject.Create(jobobject.Options{Name: "web", KillOnClose: true, Kernel: k})
	if err != nil {
		log.Fatal(err)
	}
	defer owner.Close()
	p, err := owner.Start(jobobject.ProcessOptions{Application: `C:\web\server.exe`})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	<-listening

	job, err := jobobject.Open("web", jobobject.OpenOptions{Kernel: k})
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	member, err := job.Member(p.Pid())
	if err != nil {
		log.Fatal(err)
	}
	defer member.Close()
	memory, err := member.Memory()
	fmt.Println("in use:", memory.Commit > 0, err)
	if err := member.Signal(jobobject.CtrlBreak); err != nil {
		log.Fatal(err)
	}
	if err := job.WaitEmpty(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(errors.Is(member.Signal(jobobject.CtrlBreak), jobobject.ErrExited))
	// Output:
	// in use: true <nil>
	// server got CTRL_BREAK
	// true
}

// A program on a pseudo console. Close needs a reader of Out until the last program on
// the console has ended.
func ExampleConsole() {
	k := jobtest.New() // on Windows leave Kernel out
	k.Program("shell.exe", func(p *jobtest.Proc) uint32 {
		line, err := bufio.NewReader(p.Stdin).ReadString('\r')
		if err != nil {
			return 1
		}
		fmt.Fprintf(p.Stdout, "you typed %q\r\n", line)
		return 0
	})
	console, err := jobobject.NewConsole(jobobject.ConsoleOptions{Width: 80, Height: 25, Kernel: k})
	if err != nil {
		log.Fatal(err)
	}
	job, err := jobobject.Create(jobobject.Options{KillOnClose: true, Kernel: k})
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	p, err := job.Start(jobobject.ProcessOptions{Args: []string{"shell.exe"}, Console: console})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	if _, err := io.WriteString(console.In, "dir\r"); err != nil {
		log.Fatal(err)
	}
	screen := bufio.NewReader(console.Out)
	line, err := screen.ReadString('\n')
	fmt.Println(strings.TrimSpace(line), err)

	code, err := p.Wait(context.Background())
	fmt.Println("exit code", code, err)
	closed := make(chan error)
	go func() { closed <- console.Close() }()
	_, rerr := io.Copy(io.Discard, screen) // to its end
	fmt.Println(errors.Join(rerr, <-closed, console.In.Close(), console.Out.Close()))
	// Output:
	// you typed "dir\r" <nil>
	// exit code 0 <nil>
	// <nil>
}

// The members of a silo see another directory under a path of the machine.
func ExampleJob_Bind() {
	k := jobtest.New() // on Windows leave Kernel out
	job, err := jobobject.Create(jobobject.Options{Name: "sandbox", KillOnClose: true, Kernel: k})
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	mapping := jobobject.Mapping{Root: `C:\data`, Target: `D:\volumes\1`, ReadOnly: true}
	err = job.Bind(mapping)
	fmt.Println("before:", errors.Is(err, jobobject.ErrNotSilo))

	// Before the first process.
	if err := job.PromoteToSilo(); err != nil {
		log.Fatal(err)
	}
	if err := job.Bind(mapping); err != nil {
		log.Fatal(err)
	}
	silo, err := job.Silo()
	fmt.Println("in a Windows Server container:", silo.InServerSilo, err)
	fmt.Println(k.Mappings("sandbox"))
	// Output:
	// before: true
	// in a Windows Server container: false <nil>
	// [{C:\data D:\volumes\1 true false}]
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

// The error names the field and its range.
func ExampleLimits_Validate() {
	l := jobobject.Limits{CPUWeight: 12}
	fmt.Println(l.Validate())
	// Output:
	// CPUWeight is 12, want 1 to 9
}
