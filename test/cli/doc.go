// Package cli tests the built silo.exe in the Wine test environment.
package cli
