// Command growth measures how requests to the shim, and its memory, grow with the processes of a container, with the containers
// of the shim and with the execs of a container. It runs the shim on the simulated kernel, so it needs neither Windows nor
// Wine: the shim makes the same calls on every system, the times and the memory include the simulation's.
//
//	go run ./test/bench/growth
//
// It writes the result as JSON, which test/bench/chart draws.
package main
