// Package limit turns what a person writes about limits into [jobobject.Limits], and back into words.
//
//	--memory 512m --cpus 1.5 --affinity n0 ──► Flags.Apply ──► jobobject.Limits ──► Set ──► the kernel
//	                              Machine ──┘                          └──► Describe ──► a line each
//
// Processor figures depend on the machine, which is a value here: the same flags are explained on any system. What
// cannot be read is an error that names the flag and shows what it takes. The package prints nothing.
package limit
