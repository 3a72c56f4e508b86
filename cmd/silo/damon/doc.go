// Package damon keeps the contract of Damon, the supervisor for Nomad tasks on Windows that is no longer maintained: its
// environment variables, its log and its metrics, so that a task can change over by the name of the executable alone.
//
//	environment ─► Config ─┬─► limits, token     for the job
//	                       ├─► NewLog            one JSON object a line, rotated
//	                       └─► Metrics           damon_…, as they were; silo_container_… has the corrected values
//
// It differs where Damon harmed its user; docs/coming-from.md lists each difference. A task with a malformed configuration
// is not started, and the arguments of the program are not logged. See https://github.com/jet/damon.
package damon
