package e2e

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// mountPoint is the variable with the root file system of a job container.
const mountPoint = `%CONTAINER_SANDBOX_MOUNT_POINT%`

// containerFromImage: the program of an image runs, is found by its base name, and finds its files.
func containerFromImage(t *testing.T, n *node) {
	n.needsVolume(t)
	p := n.pod(t)
	pod := n.run(t, p)
	entry := container()
	entry.Command, entry.Args = nil, []string{"print", "from", "the", "image"}
	id := n.start(t, pod, entry, p)
	n.exited(t, id)
	if log := n.try(t, "logs", id).stdout; strings.TrimSpace(log) != "from the image" {
		t.Errorf("the entry point printed %q", log)
	}
	bare := container()
	bare.Command = []string{"payload.exe", "env"}
	var env map[string]string
	n.output(t, pod, bare, p, &env)
	root := env["CONTAINER_SANDBOX_MOUNT_POINT"]
	if !strings.HasPrefix(strings.ToLower(root), `c:\hpc\`) {
		t.Errorf("the root file system is at %q, want it below C:\\hpc", root)
	}
	if !strings.Contains(strings.ToLower(env["PATH"]), strings.ToLower(strings.TrimSuffix(root, `\`))) {
		t.Errorf("the path is %q, want one with %s", env["PATH"], root)
	}
	n.drop(t, pod)
	if _, err := os.Lstat(n.wine.UnixPath(strings.TrimSuffix(root, `\`))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s remains: %v", root, err)
	}
}

// containerVolumes: a directory and a file of the host are visible at their container paths.
func containerVolumes(t *testing.T, n *node) {
	n.needsVolume(t)
	p := n.pod(t)
	pod := n.run(t, p)
	dir := n.wine.UnixPath(`C:\silo\` + newID()) // containerd resolves links, and Z: is a link
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "flag")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct{ at, from, sees string }{
		{`C:\data`, dir, `\data\flag`},
		{`C:\etc\settings`, dir, `\etc\settings\flag`},
		{`C:\one\file`, file, `\one\file`},
	} {
		c := container()
		c.Command = []string{"payload.exe", "await", mountPoint + m.sees, "7"}
		c.Mounts = []mount{{ContainerPath: m.at, HostPath: n.wine.WindowsPath(m.from)}}
		id := n.start(t, pod, c, p)
		if s := n.exited(t, id).Status; s.ExitCode != 7 {
			t.Errorf("a program that looks for %s ended with %+v", m.sees, s)
		}
	}
	n.drop(t, pod)
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the host's file is missing: %v", err)
	}
}

// needsVolume skips if the root file system of a container is empty, as with the emulated layers of the reference shim.
func (n *node) needsVolume(t *testing.T) {
	t.Helper()
	if n.handler == testenv.PeerHandler {
		t.Skip("the test environment has no files of an image for the reference shim")
	}
}
