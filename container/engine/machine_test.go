package engine_test

import (
	"context"

	"github.com/siloshim/siloshim/container"
)

// pids lists the processes of a container.
func pids(c container.Container) (list []uint32, err error) {
	processes, err := c.Processes(context.Background())
	for i := range processes {
		list = append(list, processes[i].Pid)
	}
	return list, err
}
