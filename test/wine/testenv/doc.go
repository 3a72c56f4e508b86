// Package testenv runs Windows programs on Linux, under the Wine of Debian 12, for the tests and the demo.
//
// The test environment is one Wine prefix with a separate wineserver. [Setup] makes it once (the verb
// "go run ./test/wine setup"), in the .bed directory of the module, which git ignores:
//
//	.bed/prefix   the Wine prefix; C:\silo\bin holds containerd.exe, ctr.exe, the shim and the payload
//	.bed/cache    executables that were cross-built from the Go module proxy
//	.bed/bin      executables of this module
//	.bed/run      configuration and logs of each containerd
//
// [Open] finds the test environment and starts its server. [Env.Command] runs a Windows executable. [Env.Containerd] starts
// a real containerd.exe with a separate root, state and pipe.
//
// test/wine/gap supplies some calls that are missing in Wine 8; the others are reported as missing. test/wine/README.md
// lists both. Only tests import the package.
package testenv
