package probe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// TestMain makes this binary a workload, too: with PROBE_CHILD=spin it uses a processor, with PROBE_CHILD=idle it waits. Both
// exit when standard input ends, that is, with the parent. With PROBE_CHILD=threads or reads it exits at once with code 7,
// while it creates threads or its threads read. With PROBE_CHILD=links or sockets it does what kubelet does with them, with service
// it is a service, and with limits it exits with the memory limit of the job PROBE_JOB in MiB.
func TestMain(m *testing.M) {
	mode := os.Getenv("PROBE_CHILD")
	if mode == "" {
		os.Exit(m.Run())
	}
	switch mode {
	case "threads":
		endAmongThreads()
	case "reads":
		endAmongReads()
	case "links":
		endAfter(useLinks)
	case "service":
		endAfter(runService)
	case "sockets":
		endAfter(useSockets)
	case "limits":
		os.Exit(memoryLimit(os.Getenv("PROBE_JOB")))
	case "spin":
		go func() { // ends with the process
			for { //nolint:staticcheck // a busy loop on purpose
			}
		}()
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// child starts this binary as a workload and kills it with the test.
func child(t *testing.T, mode string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), "PROBE_CHILD="+mode)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed on purpose
	})
	return cmd
}

// open opens a process with the fewest rights, as a monitor does.
func open(t *testing.T, pid int) windows.Handle {
	t.Helper()
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = windows.CloseHandle(h) })
	return h
}

// eventually repeats a query until ok. The time limit of the test binary ends it.
func eventually(t *testing.T, what string, ok func() (bool, error)) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		done, err := ok()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if done {
			return
		}
		<-again.C
	}
}

// onWine reports whether this is Wine, for tests of information that Wine does not have.
func onWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

func TestRemoveAll_DirectoryTree_Removed(t *testing.T) {
	root, err := os.MkdirTemp("", "probe") //nolint:usetesting // the test itself removes it
	if err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(root, "a", "b", "c")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(deep, fmt.Sprint(i)), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(root); err != nil {
		t.Errorf("RemoveAll: %v", err)
	}
	if _, err := os.Stat(root); !os.IsNotExist(err) {
		t.Errorf("the directory still exists: %v", err)
	}
}

func TestRoot_Rename_ReplacesFile(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, text := range map[string]string{"new": "new", "old": "old"} {
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := root.Rename("new", "old"); err != nil {
		t.Fatal(err)
	}
	if text, err := root.ReadFile("old"); err != nil || strings.TrimSpace(string(text)) != "new" {
		t.Errorf("after the rename: %q, %v", text, err)
	}
}
