// Package supervisor keeps the one program of a container running: it starts it, copies its output, stops it with signals
// that it may answer, ends what it leaves behind, and restarts it by a policy. Job containers and Windows Server
// containers are the same to it.
//
//	Run ─► Start ─► Wait ─┬─ the program ended ──► terminate the other processes ─► Policy: restart, after a pause
//	                      ├─ ctx ended ──────────► signal, grace, signal, grace, kill and terminate
//	                      └─ the time is up ─────► the same
//
// No process of the container is left when a run is over. The caller owns the container and closes it. The package logs
// nothing: it reports what happened through [Options].Observe.
package supervisor
