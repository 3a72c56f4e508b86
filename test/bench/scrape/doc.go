// Command scrape measures the cost of a Stats of a container: with the reference's algorithm, with ours, and with a list
// of the whole machine; for containers of 1, 15 and 60 processes, alone and among 300 non-members. It counts the calls
// at the kernel interface, and takes times in turns, in one run, over the same processes. The result goes to standard
// output as JSON, which test/bench/chart turns into docs/performance.md.
//
// It is a Windows program. `make bench` runs it on Wine.
package main
