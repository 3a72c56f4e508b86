// Package supervisor keeps one program running in a job: it starts it, hands on its output, stops it with signals that
// it may answer, ends what it leaves behind, and starts it anew as a policy says.
//
//	Run ─► start ─► wait ─┬─ the program ended ──► end the rest of the job ─► Policy: again, after a pause
//	                      ├─ ctx ended ──────────► signal, grace, signal, grace, terminate the job
//	                      └─ the time is up ─────► the same
//
// The job is empty when a run is over. The caller owns the job; its death ends the job's members, if they are to.
// The package logs nothing: it tells what happened through [Options].Observe.
package supervisor
