//go:build !windows

package hostprocess

import "github.com/siloshim/siloshim/jobobject"

func suspendProcess(uint32) (resume func() error, err error) { return nil, jobobject.ErrNotSupported }
