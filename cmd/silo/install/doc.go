// Package install puts the shim and its runtime handlers on a machine with containerd, and takes them away again.
//
//	Options ─► Find ─► Node.Install, Node.Uninstall ─► Plan ─► Plan.Apply
//	                    (look, change nothing)          (all of it, or nothing)
//
// A [Plan] is what is not yet as it should be, so a second one is empty. Apply makes each change so that it can be
// undone, then has containerd itself read the configuration, and only then restarts it, where that is wanted; whatever
// fails, everything goes back to what it was. A file that is replaced or removed is renamed first: an executable that
// runs can be renamed on Windows, and not be written.
package install
