// Package hcstest has a simulated Host Compute Service for tests. It passes the
// contract tests of package hcs, as the real service does.
//
//	Service ── systems (validated documents, state, exit)
//	   │          └── processes: Go functions with streams, signals, statistics
//	   ├── operations: at once, pending, late, stuck, cancelled ◄── Fault
//	   ├── one thread of notifications, in order, with the sticky exit
//	   └── Disconnect, OldCodes, Calls, OpenHandles, Misuse
//
// The simulation is as strict as the service is known to be, and stricter where
// the real one would crash: a handle that is closed while a call uses it, or used
// after, is a misuse that fails the test.
//
// Time is that of package time, so in a bubble of testing/synctest it is the
// test's. Nothing in the simulation blocks outside of such a bubble's sight.
//
// Only tests import the package.
package hcstest
