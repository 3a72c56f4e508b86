// Package handles counts the handles of a Windows process by their type, for tests that look for one that was kept.
package handles
