// Package jobobject drives Windows job objects: groups of processes that the
// kernel counts, limits and ends together.
//
//	Create / Open ──► Job ──► Start ──► Process      born inside the job
//	                   │         ▲
//	                   │         └── JOB_LIST, three handles, nothing else
//	                   ├── Accounting, Memory, Storage, PrivateWorkingSet
//	                   ├── SetLimits ⇄ QueryLimits, Freeze, Terminate, kill on close
//	                   ├── PromoteToSilo, Bind
//	                   └── Messages, WaitEmpty ◄── one completion port a kernel
//	      ─────────── Kernel: typed calls, no unsafe pointer crosses ──────────
//	        System(), the NT kernel          jobtest.Kernel, a simulated one
//
// Everything above the [Kernel] line is the same code on every operating
// system, so the package is tested on Linux against [jobtest.Kernel] and on
// Windows against [System] with one and the same contract suite.
//
// # Limits
//
// [Job.SetLimits] sets all [Limits] at once, after [Limits.Validate] has checked
// their ranges; [Job.QueryLimits] asks the kernel which are in force. The rate
// functions, such as [RateOfCPUs], turn what people say about processors into
// what the kernel wants. [NotificationLimits] stop nobody and send a [Message],
// upon which [Job.Violation] tells what was passed.
//
// # Rights
//
// Whoever only looks at a job opens it with [AccessQuery], which suffices for
// every method that sets nothing.
//
// # What it does not do
//
// The package does not log, retry, or know about containers. It returns facts;
// callers decide. It never runs a shell and never puts a command line or an
// environment into an error.
//
// It builds for 64-bit targets: the layouts in the abi files are those of Win64.
//
// See https://learn.microsoft.com/windows/win32/procthread/job-objects.
//
// [jobtest.Kernel]: https://pkg.go.dev/github.com/siloshim/siloshim/jobobject/jobtest#Kernel
package jobobject
