// Package stats takes a container's statistics straight from its job object.
//
// A [Collector] asks the job's own classes for memory, processor and storage and sums the private working sets of
// its members, in that order. Each figure stands alone: what the kernel refuses is left out of the [Sample] and named
// in [Sample.Missing]; the others are still given. Nothing walks the process list of the machine.
//
// [Sample.Runhcs] turns a sample into containerd.runhcs.stats.v1.Statistics, the type that containerd's CRI and ctr
// read.
package stats
