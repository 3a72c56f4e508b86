package subprocess_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/subprocess"
)

const listKey = "SILO_TEST_LIST"

var kernel32 = windows.NewLazySystemDLL("kernel32.dll")

func TestMain(m *testing.M) {
	if os.Getenv(listKey) != "" {
		fmt.Println(onConsole())
		return
	}
	os.Exit(m.Run())
}

// onConsole lists the processes on the console of this process.
func onConsole() []uint32 {
	list := make([]uint32, 64)
	n, _, _ := kernel32.NewProc("GetConsoleProcessList").Call(uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)))
	return list[:n]
}

func TestSeparateConsole_ParentHasOne_IsNotShared(t *testing.T) {
	_, _, _ = kernel32.NewProc("FreeConsole").Call() // it fails without one
	if r, _, err := kernel32.NewProc("AllocConsole").Call(); r == 0 {
		t.Fatal(err)
	}
	pid := windows.GetCurrentProcessId()
	if !slices.Contains(onConsole(), pid) {
		t.Fatal("this process has no console")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	list := func(prepare func(*exec.Cmd)) string {
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), listKey+"=1")
		prepare(cmd)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	if all := list(func(*exec.Cmd) {}); !strings.Contains(all, fmt.Sprint(pid)) {
		t.Errorf("a plain child is on a console with %s, want also %d", all, pid)
	}
	if all := list(subprocess.SeparateConsole); strings.Contains(all, fmt.Sprint(pid)) || all == "[]" {
		t.Errorf("the child is on a console with %s, want one without %d", all, pid)
	}
}
