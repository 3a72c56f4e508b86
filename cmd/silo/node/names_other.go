//go:build !windows

package node

import "github.com/siloshim/siloshim/jobobject"

// JobNames lists the job objects of this machine whose names a container may have.
func JobNames() ([]string, error) { return nil, jobobject.ErrNotSupported }
