// Package logfile writes and reads log files that are rotated by size.
//
//	x.log                  the current file
//	x.log.000001 …         the rotated files; a higher number is newer, and a file keeps its number
//	x.log.000002.times     when the lines of a file were written, see [Options.Times]
//
// [File] writes and returns errors. [Writer] is a File that neither fails nor blocks its callers for long: it keeps what
// cannot be written for some time, then discards and counts it. [Reader] reads all files in order, also while they are
// rotated.
package logfile
