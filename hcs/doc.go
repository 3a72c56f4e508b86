// Package hcs creates and drives compute systems, the containers of Windows,
// through the Host Compute Service.
//
//	Client ── Create / Open ──► System ── CreateProcess / OpenProcess ──► Process
//	   │                          │                                         │
//	   ├── Enumerate              ├── Start, ShutDown, Terminate            ├── Stdin, Stdout, Stderr
//	   ├── ServiceProperties      ├── Properties, Modify                    ├── Signal, Kill, Resize
//	   └── ModifyService          └── Wait, Notifications                   └── Wait
//	        ── each call runs on its own goroutine, with a deadline; late results are undone ──
//	        ────────────── Service: typed calls, documents as JSON, no unsafe pointer ──────────────
//	          ComputeCore(), computecore.dll                 hcstest.Service, a simulated one
//
// The service is another process, and it can be slow: starts and stops have taken
// minutes, and some calls have never returned. So every method takes a context and
// has a deadline ([Timeouts]), and no method waits for another. A call whose caller
// has left keeps its handles open, and its late result is undone: a system is
// terminated, a process killed, a handle closed.
//
// Notifications run on threads of the service. The package only stores them there,
// so no caller can block such a thread.
//
// Everything above the [Service] line is the same code on every operating system,
// and is tested on any with hcstest. The contract tests run against both, the
// simulated service and the real one. The documents are those of package schema.
//
// The package does not log, does not retry, and does not depend on containerd. No
// error has a command line, an environment or a credential in it.
//
// See https://learn.microsoft.com/virtualization/api/hcs/overview.
package hcs
