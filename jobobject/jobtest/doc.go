// Package jobtest has a simulated NT kernel for package jobobject. It passes the
// same contract suite as the kernel of Windows: see the tests of package jobobject.
//
//	k := jobtest.New()
//	k.Program("hello.exe", func(p *jobtest.Proc) uint32 {
//		fmt.Fprintln(p.Stdout, "hello", p.Args[1:])
//		return 7
//	})
//	job, err := jobobject.Create(jobobject.Options{Kernel: k, KillOnClose: true})
//
// The kernel has jobs with names, nesting, limits that act, notification limits, silos and
// freezes; handles with rights; completion ports whose messages [Kernel.Lose] can
// lose; and processes with parents, exit codes and metrics. A process is a
// goroutine that runs a Go function; like a real one it can be ended from outside
// at any time, at which its files are closed and [Proc.Done] tells its function to
// return. [Kernel.Wait] waits until all have.
//
// Time is the test's own: [Kernel.Advance] makes it pass, and with it what busy
// processes use and what their memory does. Pids are those of Windows when
// [Kernel.RecyclePids] was called: a pid is free for others when the process has ended
// and its last handle is closed. [Kernel.Fail] and [Kernel.FailNth] plan faults,
// [Kernel.Calls] counts calls.
//
// Where Windows versions differ, the kernel follows Windows Server 2022; it keeps
// a job's name no longer than its last handle, as Windows does and Wine does not.
// It does not simulate network rates, priorities and affinities, and of UI restrictions only that their job cannot be nested:
// it keeps them.
//
// For tests only.
package jobtest
