//go:build !windows

package limit

import "runtime"

// ThisMachine is the machine that this runs on. Its processors' speed, and its NUMA nodes, are known on Windows only.
func ThisMachine() Machine {
	n := runtime.NumCPU()
	return Machine{Groups: []int{n}, Nodes: oneNode([]int{n})}
}
