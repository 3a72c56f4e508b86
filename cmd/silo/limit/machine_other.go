//go:build !windows

package limit

import "runtime"

// ThisMachine returns the machine of this process. Speed and NUMA nodes are known on Windows only.
func ThisMachine() Machine {
	n := runtime.NumCPU()
	return Machine{Groups: []int{n}, Nodes: oneNode([]int{n})}
}
