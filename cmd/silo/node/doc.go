// Package node finds the containers of this machine by the names of their job objects, whoever made them.
//
//	\BaseNamedObjects\silo/<namespace>/<id>   a job container of our shim, or one of silo run and silo attach
//	\Container_<id>                           a Windows Server container of the Host Compute Service
//
// No daemon is asked. What only the maker knows of a container of silo run (its program, its output, whether it is to
// end) is in a [Record] in a directory of its own; a container is there as long as its job is, with or without one.
package node
