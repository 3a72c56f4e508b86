package pipe

import "testing"

// A pipe that another process has made first must not get a second server beside it.
func TestListen_NameInUse_Refused(t *testing.T) {
	_, path := listen(t)
	if l, err := Listen(path); err == nil {
		l.Close()
		t.Error("a second server of a pipe is made")
	}
}
