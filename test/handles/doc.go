// Package handles counts the handles of a Windows process by type, for tests that look for leaks.
package handles
