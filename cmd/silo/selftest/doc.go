// Package selftest tries on a host what silo and the shim build on, with real processes in jobs of its own.
//
//	Host.Run ─► for each trial: a job with limits ─► stage ─► silo workload MODE ... ─► Verdict
//
// Each trial names the rows of docs/unproved.md that it settles. What a host lacks is skipped with the capability named
// and breaks nothing: a call that it does not know, a right that the caller does not have, or the enforcement of limits,
// which Wine stores and does not enforce.
package selftest
