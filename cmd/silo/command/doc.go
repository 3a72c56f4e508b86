// Package command has the verbs of silo, a file each.
//
//	Main(args) ─► App.root ─► cobra ─► the verb ─► jobobject, stats, node, supervisor … ─► table or JSON
//
// Verbs get everything from [App]: kernel, streams, environment, clock. So all of them run on the simulated kernel, on
// any system. Output goes to standard output and everything said about it to standard error. The exit code is the
// program's own where one was run; silo's own errors are 125 to 127, as docker's:
//
//	125  silo could not do it, or the command line makes no sense; nothing was started
//	126  the program is there and could not be started
//	127  there is no such program
package command
