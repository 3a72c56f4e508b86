// Package cli holds the tests of silo.exe, the built program, on the Wine test environment.
package cli
