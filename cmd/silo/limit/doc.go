// Package limit parses the limits of a command line into [jobobject.Limits], and describes those.
//
//	--memory 512m --cpus 1.5 --affinity n0 ──► Flags.Apply ──► jobobject.Limits ──► Set ──► the kernel
//	                              Machine ──┘                          └──► Describe ──► a line each
//
// Processor limits depend on the machine, which is a value here: the same flags can be explained on any system. A value
// that cannot be parsed is an error that names the flag and its syntax. The package prints nothing.
package limit
