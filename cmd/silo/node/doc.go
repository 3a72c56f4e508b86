// Package node finds the containers of this machine by the names of their job objects.
//
//	\BaseNamedObjects\silo/<namespace>/<id>   a job container of our shim, or one of silo run and silo attach
//	\Container_<id>                           a Windows Server container of the Host Compute Service
//
// No daemon is called. What the kernel does not know of a container of silo run (its program, its output, its exit) is in
// a [Record]. A container lives as long as its job or its supervisor does, with or without a record; one that has ended is
// listed as long as its record is kept. A job and a record of one id are one container: a record also names the system of a
// Windows Server container of silo run.
package node
