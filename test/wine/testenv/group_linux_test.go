package testenv

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// actor selects what this test program does when a test starts it as another program.
const actor = "TESTENV_ACTOR"

func TestMain(m *testing.M) {
	if os.Getenv(actor) == "" {
		os.Exit(m.Run())
	}
	// A loader that waits for an answer has both ends of a pipe. Under the name of a server it has what it inherits.
	r, w, err := os.Pipe()
	if err == nil {
		_, err = fmt.Println("ready")
	}
	if err == nil {
		_, err = r.Read(make([]byte, 1))
	}
	fmt.Println(w.Name(), err)
	os.Exit(1)
}

// play starts this program under another name, with files that it inherits, and waits until it plays.
func play(t *testing.T, g *Group, name string, inherited ...*os.File) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(t.TempDir(), name)
	if err := os.Link(self, exe); err != nil {
		if err := os.Symlink(self, exe); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), exe, `C:\silo\bin\payload.exe`, "sleep")
	cmd.Env = append(os.Environ(), actor+"=1")
	cmd.ExtraFiles = inherited
	g.Add(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil && err != io.EOF {
		t.Fatal(err)
	}
}

// A loader that no server knows is no process of Windows. Kill ends it nevertheless.
func TestGroup_LoaderWithoutServer_IsNoMember(t *testing.T) {
	g, server := NewGroup(), NewGroup()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	play(t, server, "wineserver", w) // both inherit the end of a pipe, as of make or a terminal
	play(t, g, loader, w)
	if got, err := g.Processes(); err != nil || len(got) != 0 {
		t.Errorf("Processes: %v, %v; want none", got, err)
	}
	if all, err := g.members(); err != nil || len(all) != 1 {
		t.Errorf("members: %v, %v; want the loader", all, err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	if all, err := g.members(); err != nil || len(all) != 0 {
		t.Errorf("after Kill: %v, %v", all, err)
	}
}

// A loader that shares a pipe with a server is about to be a Windows process, with the name of its program.
func TestGroup_LoaderWithServer_IsMember(t *testing.T) {
	g, server := NewGroup(), NewGroup()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	play(t, server, "wineserver", r)
	play(t, g, loader, w)
	got, err := g.Processes()
	if err != nil || len(got) != 1 || got[0].Name() != "payload.exe" {
		t.Errorf("Processes: %v, %v; want payload.exe", got, err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
}

// A group of paths has the processes of these directories and executables, whatever the case of their letters.
func TestGroup_OfPaths_HasOnlyThose(t *testing.T) {
	g := (&Env{dir: "prefix"}).groupOf([]string{`C:\Program Files\containerd\`, `C:\hpc\`, `Z:\cache\kubelet.exe`})
	for exe, want := range map[string]bool{
		`C:\Program Files\containerd\containerd.exe`: true, `c:\HPC\1\payload.exe`: true, `Z:\cache\kubelet.exe`: true,
		`Z:\cache\etcd.exe`: false, `C:\Program Files\containerd`: false, "": false,
	} {
		if got := g.has(Process{Args: []string{exe}}); got != want {
			t.Errorf("%q is a member: %t, want %t", exe, got, want)
		}
	}
	if g.has(Process{}) || !NewGroup().has(Process{}) {
		t.Error("a process without a command line is a member of a group of paths, or none of the group of a mark")
	}
}
