//go:build !windows

package plan

import (
	"path/filepath"
	"runtime"
)

func processors() int { return runtime.NumCPU() }

// build is a Windows that supports everything, since a plan that is made elsewhere is for another machine.
func build() uint32 { return severalGroupsBuild }

func resolve(path string) (string, error) { return filepath.EvalSymlinks(path) }
