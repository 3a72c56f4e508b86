// Package plan turns an OCI runtime spec and its annotations into a plan that a host can carry out without
// asking again: [Load] reads the bundle, [Machine.HostProcess] plans a job container (what Kubernetes calls HostProcess), and
// [HostProcess.Exec] plans one process in it. [Machine.WCOW] plans a Windows Server container, as the document that the
// Host Compute Service takes, and [Server.Exec] one process in that.
//
// A plan is complete: the program has been found, the command line is quoted, limits are in the units of the job
// object. A container with files of its own is the exception: a [Search] finds its programs once those are there. What
// the plan cannot hold is an error that names the field and says what to do. Nothing is dropped in silence: the
// annotation [BestEffort] turns a refusal into one of the plan's warnings. What a job container has by its nature, such
// as the host's network and devices, is not asked for and not refused.
//
// The package is plain Go. It treats Windows paths and command lines as text, so it behaves the same on every
// system. No value of the environment and no argument gets into an error.
package plan
