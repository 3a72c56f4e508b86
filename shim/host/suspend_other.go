//go:build !windows

package host

import "github.com/siloshim/siloshim/jobobject"

func suspendProcess(uint32) (resume func() error, err error) { return nil, jobobject.ErrNotSupported }
