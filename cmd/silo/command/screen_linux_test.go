package command

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// The size of a real terminal is read anew at each call.
func TestTerminal_WindowResized_SizeFollows(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("missing: pseudo terminals: %v", err)
	}
	defer master.Close()
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	a := new(App)
	for _, size := range []unix.Winsize{{Col: 80, Row: 24}, {Col: 132, Row: 50}} {
		if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &size); err != nil {
			t.Fatal(err)
		}
		if columns, lines, ok := a.terminal(tty); !ok || columns != int(size.Col) || lines != int(size.Row) {
			t.Errorf("%d x %d, %v, want %d x %d", columns, lines, ok, size.Col, size.Row)
		}
	}
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, _, ok := a.terminal(file); ok {
		t.Error("a file is a terminal")
	}
}
