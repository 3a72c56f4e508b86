// Package host tests the shim on a Windows host, with real containerd.exe and ctr.exe and, where SILO_HOST_IMAGE names one, an
// image. It is a Windows program, and needs the executables of `go run ./test/wine host C:\silo\bin`. On Linux it runs on Wine
// as the packages of `make contract` do; the cases with an image are skipped there.
package host
