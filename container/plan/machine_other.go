//go:build !windows

package plan

import "runtime"

func processors() int { return runtime.NumCPU() }

// build has nothing to go by elsewhere: what is planned there is meant for a Windows that has everything.
func build() uint32 { return severalGroupsBuild }
