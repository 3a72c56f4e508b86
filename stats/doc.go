// Package stats samples the statistics and lists the processes of Windows containers, from their job objects.
//
//	NewCollector(job)      a job that the caller holds open ─┐
//	NewNamedCollector(n)   a job opened for each call ───────┼─► Collector ──► Sample, []Process
//	NewSiloCollector(id)   the same for a Windows Server     │
//	                       container ────────────────────────┘
//	NewSystem(options)     the same, and the Host Compute Service for what the kernel refuses ──► Properties
//	NewNode(kernel)        many jobs at once ──► [][]Process
//
// A [Collector] queries the job for memory, processor and storage, and sums the working sets of its members: 3 + N
// kernel calls for N members whose handles are kept, 6 + 4N otherwise. It never walks the processes of the machine for
// one container. A process that has exited counts nothing, and neither does a non-member that has its pid now. Each
// [Metric] fails alone: [Sample].Metrics has the source, the quality and the reason of each.
//
// Calls of a collector and a system take a context and return when that ends, also if the kernel hangs. A sample is
// never older than its call. The package does not log; it returns reasons.
//
// Package runhcs makes the messages of containerd, package prom exports to Prometheus. As JSON, samples and processes
// have stable keys. See https://learn.microsoft.com/windows/win32/procthread/job-objects.
package stats
