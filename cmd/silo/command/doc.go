// Package command has the verbs of silo, a file each.
//
//	Main(args) ─► App.root ─► cobra ─► the verb ─► jobobject, stats, node, supervisor … ─► table or JSON
//
// Verbs get everything from [App]: kernel, streams, environment, clock. So all of them run on the simulated kernel, on
// any system. Results go to standard output, messages and errors to standard error. The exit code is the
// program's own where one was run; silo's own errors are 125 to 127, as docker's:
//
//	125  an error of silo or of the command line; no program was started
//	126  the program exists and could not be started
//	127  there is no such program
package command
