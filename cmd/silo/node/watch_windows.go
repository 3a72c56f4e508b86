package node

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
)

// changeHandle is a change notification of the kernel.
//
// https://learn.microsoft.com/windows/win32/fileio/obtaining-directory-change-notifications
type changeHandle struct {
	handle   windows.Handle
	signaled <-chan struct{}
	unwatch  func()
}

// notifyChanges reports the changes below a directory, from this call on. The directory must exist.
func notifyChanges(dir string) (notifier, error) {
	h, err := windows.FindFirstChangeNotification(dir, true, windows.FILE_NOTIFY_CHANGE_FILE_NAME|windows.FILE_NOTIFY_CHANGE_DIR_NAME)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	c := &changeHandle{handle: h}
	if err := c.wait(); err != nil {
		return nil, errors.Join(fmt.Errorf("watch %s: %w", dir, err), windows.FindCloseChangeNotification(h))
	}
	return c, nil
}

// wait begins to wait for the next change.
func (c *changeHandle) wait() (err error) {
	c.signaled, c.unwatch, err = winsys.Watch(c.handle)
	return err
}

func (c *changeHandle) changed() <-chan struct{} { return c.signaled }

// again also reports a change that came between the two calls: the kernel keeps it.
func (c *changeHandle) again() error {
	c.unwatch()
	c.unwatch = func() {}
	if err := windows.FindNextChangeNotification(c.handle); err != nil {
		return err
	}
	return c.wait()
}

func (c *changeHandle) close() {
	c.unwatch()
	_ = windows.FindCloseChangeNotification(c.handle)
}
