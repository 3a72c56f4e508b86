// Package winsys calls functions of Windows' libraries that return their error.
package winsys
