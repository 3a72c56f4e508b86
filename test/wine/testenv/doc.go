// package testenv runs Windows programs on Linux, under the Wine of Debian 12, for the tests and the demo.
//
// A test environment is one Wine prefix with its own wineserver, made once by [Setup] (the verb "go run ./test/wine setup")
// and kept in the .bed directory of the module, which git ignores:
//
//	.bed/prefix   the Wine prefix; C:\silo\bin holds containerd.exe, ctr.exe, the shim and the payload
//	.bed/cache    what was cross-built from the Go module proxy
//	.bed/bin      what was built from this module
//	.bed/run      configuration and logs of each containerd
//
// [Open] finds the test environment and brings its server up; [Env.Command] runs a Windows executable; [Env.Containerd] starts a
// real containerd.exe with a root, a state and a pipe of its own.
//
// What Wine 8 lacks is filled in by test/wine/gap, or reported as missing. test/wine/README.md tells the two apart.
// The package is for tests alone: nothing in the product imports it.
package testenv
