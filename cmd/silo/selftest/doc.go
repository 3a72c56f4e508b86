// Package selftest checks on a host what silo and the shim rely on, with real processes in new jobs.
//
//	Host.Run ─► for each trial: a job with limits ─► stage ─► silo workload MODE ... ─► Verdict
//
// Each trial names the rows of docs/unproved.md that it settles. A trial whose host misses a capability is skipped and
// names it: an unsupported call, a right that the caller does not have, or the enforcement of limits, which Wine stores
// and does not enforce.
package selftest
