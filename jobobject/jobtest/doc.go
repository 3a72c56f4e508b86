// Package jobtest has a simulated NT kernel for package jobobject and the
// contract suite that it and the real one both pass.
//
//	k := jobtest.New()
//	k.Program("hello.exe", func(p *jobtest.Proc) uint32 {
//		fmt.Fprintln(p.Stdout, "hello", p.Args[1:])
//		return 7
//	})
//	job, err := jobobject.Create(jobobject.Options{Kernel: k, KillOnClose: true})
//
// The kernel has jobs with names, nesting and limits, handles with rights, kill
// on close, completion ports, and processes with parents, exit codes and figures
// that the program sets itself. A process is a goroutine that runs a Go function;
// like a real one it can be ended from outside at any time, at which its files
// are closed and [Proc.Done] tells its function to return. [Kernel.Wait] waits
// until all have.
//
// Where Windows versions differ, the kernel follows Windows Server 2022; it keeps
// a job's name no longer than its last handle, as Windows does and Wine does not.
//
// For tests only.
package jobtest
