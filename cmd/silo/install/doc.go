// Package install installs the shim and its runtime handlers on a machine with containerd, and removes them.
//
//	Options ─► Find ─► Node.Install, Node.Uninstall ─► Plan ─► Plan.Apply
//	                    (look, change nothing)          (all of it, or nothing)
//
// A [Plan] has what is not installed yet, so a second one is empty. Apply makes each change so that it can be undone, then
// makes containerd read the configuration, and restarts it only then, where that is requested. When a step fails, all are
// undone. A file that is replaced or removed is renamed first: on Windows the executable of a running process can be
// renamed and not be written.
package install
