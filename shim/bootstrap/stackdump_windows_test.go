package bootstrap

import (
	"fmt"
	"testing"

	"golang.org/x/sys/windows"
)

// Every user may make events in the global directory, and pids can be guessed.
func TestStart_StackdumpEventOfAnother_Serves(t *testing.T) {
	for pid := 4; pid < 1<<14; pid += 4 {
		name, err := windows.UTF16PtrFromString(fmt.Sprintf(`Global\stackdump-%d`, pid))
		if err != nil {
			t.Fatal(err)
		}
		event, err := windows.CreateEvent(nil, 0, 0, name)
		if event == 0 {
			t.Fatal(err)
		}
		defer windows.CloseHandle(event)
	}
	d := newDaemon(t)
	out, err := d.start("c1", d.bundle("c1", goodConfig), nil)
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	connect(t, d, "c1", string(out)).end()
}
