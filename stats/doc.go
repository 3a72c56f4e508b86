// Package stats takes a container's statistics and its process list straight from its job object.
//
//	NewCollector(job)      a job that the caller holds ─┐
//	NewSiloCollector(id)   a silo opened for each call ─┴─► Collector ──► Sample, []Process
//	NewSystem(options)     the same, and the Host Compute Service for what the kernel refuses ──► Properties
//	NewNode(kernel)        many jobs at once ──► [][]Process
//
// A [Collector] asks the job's own classes for memory, processor and storage and sums the private working sets of its
// members, in that order: 3 + N questions for N processes while their handles are kept, 6 + 4N without. Nothing walks
// the processes of the machine for one container. A process that has left counts nothing, nor does a stranger with its
// pid. Each figure stands alone: [Sample].Metrics says of each who told it and what it is worth, and what the kernel
// refuses is missing there while the others are given.
//
// [Sample.Runhcs] and [Process.Runhcs] turn both into the types that containerd's CRI and ctr read. As JSON they have
// stable keys in snake_case with the unit in the name.
//
// The package does not log; it returns reasons. See https://learn.microsoft.com/windows/win32/procthread/job-objects.
package stats
