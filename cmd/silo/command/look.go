package command

import (
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

// look opens the job of a container for as long as see looks at it. No verb that goes on looking may keep the job open
// meanwhile: it ends its members when the last handle closes, and that must be its maker's.
func (a *App) look(c node.Container, access jobobject.Access, see func(*jobobject.Job) error) (err error) {
	job, err := c.Open(access, a.Kernel)
	if errors.Is(err, jobobject.ErrNotExist) {
		return fmt.Errorf("%s: %w", c.Name(), node.ErrNotFound)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	return see(job)
}
