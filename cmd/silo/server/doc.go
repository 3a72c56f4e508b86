// Package server runs one program in a Windows Server container of its own, without containerd.
//
//	Chain / Nspawn / Resources ──► spec.Host.Server ──► a plan
//	Run: host.Host.Server (layers, compute system) ──► start ──► the program ──► shut down ──► give all back
//
// What the container has of the machine is written down in its directory before it is made, as the shim does it. Should
// this process die, [host.Host.Cleanup] gives that back by the list.
package server
