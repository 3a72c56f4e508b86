// Package jobobject drives Windows job objects: groups of processes that the
// kernel counts, limits and ends together.
//
//	Create / Open ──► Job ──► Start ──► Process      a member from its first instruction
//	                   │         ▲
//	                   │         └── the job, three handles, nothing else is inherited
//	                   ├── Member ──► Signal, Terminate, Memory, Times
//	                   ├── Accounting, Memory, Storage, PrivateWorkingSet
//	                   ├── SetLimits ⇄ QueryLimits, Freeze, Terminate, kill on close
//	                   ├── PromoteToSilo, Bind
//	                   └── Messages, WaitEmpty ◄── one completion port for all jobs
//	      ────────────── Kernel: typed calls, no unsafe pointers ──────────────
//	        System(), the NT kernel          jobtest.Kernel, a simulated one
//
// The code above [Kernel] is the same on every operating system. One contract suite
// tests it on Linux with the simulated kernel of package jobtest, and on Windows with
// [System]. On other systems System returns [ErrNotSupported].
//
// # Limits
//
// [Job.SetLimits] sets all [Limits] at once, after [Limits.Validate] has checked
// their ranges. [Job.QueryLimits] reads those in force. Functions such as
// [RateOfCPUs] convert numbers of processors, percentages and megahertz to the unit of
// the kernel. [NotificationLimits] do not stop a process: the job sends a [Message],
// and [Job.Violation] has the value that crossed the threshold.
//
// # Rights
//
// [Open] asks for [AccessQuery] by default. Every method that changes nothing works
// with it.
//
// # Errors
//
// Every error is an [Error] with the operation and the job, and matches one of the Err
// variables where one fits. No error has a command line or an environment in it.
//
// The package does not log, does not retry and starts no shell. It builds for 64-bit
// targets only.
//
// See https://learn.microsoft.com/windows/win32/procthread/job-objects.
package jobobject
