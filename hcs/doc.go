// Package hcs creates and drives compute systems, the containers of Windows,
// through the Host Compute Service.
//
//	Client ── Create / Open ──► System ── CreateProcess / OpenProcess ──► Process
//	   │                          │                                         │
//	   ├── Enumerate              ├── Start, ShutDown, Terminate            ├── Stdin, Stdout, Stderr
//	   ├── ServiceProperties      ├── Properties, Modify                    ├── Signal, Kill, Resize
//	   └── ModifyService          └── Wait, Notifications                   └── Wait
//	        ── errand: each call on a goroutine of its own, with a deadline; late results are undone ──
//	        ────────────── Service: typed calls, documents as JSON, no unsafe pointer ──────────────
//	          ComputeCore(), computecore.dll                 hcstest.Service, a simulated one
//
// The service is a process of its own, and it is slow at times: starts and stops
// have been seen to take minutes, and single calls to never return. So every
// method takes a context and has a deadline ([Timeouts]), and no method waits for
// another: while one hangs, the others answer. Nothing leaks by it. A call that
// was left behind keeps the handles it uses open, and what it brings about too
// late is undone: a system is terminated, a process killed, handles closed.
//
// Notifications run on threads of the service. They are noted and never handled
// there, so no caller can block one.
//
// Everything above the [Service] line is the same code on every operating system,
// and is tested on any with hcstest. The contract tests run against both, the
// simulated service and the real one. The documents are those of package schema.
//
// The package does not log or retry, and knows nothing of containerd. It never
// puts a command line, an environment or a credential into an error.
//
// See https://learn.microsoft.com/virtualization/api/hcs/overview.
package hcs
