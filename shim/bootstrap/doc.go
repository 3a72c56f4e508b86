// Package bootstrap is the shim's command line: how containerd starts, serves, queries and cleans up a shim.
//
//	containerd ── start ──▶ shim start ── serve (detached) ──▶ shim serve
//	     ▲                      │  ◀── ready, through a pipe ──────┘ │
//	     └──── address ─────────┘                                   │
//	     └──── ttrpc ───────────────────────────────────────────────┘
//	containerd ── delete ─▶ shim delete        after a shim has crashed
//
// One executable serves containerd 1.7 and later. They differ in what they write to the standard input of
// start and in what they can read from its output; params.go has both tables. Containerd reads the two
// output streams of start as one, so nothing but the reply is ever written, unless start fails.
//
// The long-lived process has neither its working directory nor an open file in the bundle: Windows could
// not remove the bundle otherwise.
//
// The package knows nothing of tasks. It hands a [Params] to the program's [Shim].
package bootstrap
