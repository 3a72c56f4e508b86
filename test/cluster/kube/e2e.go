package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// The programs of Kubernetes' end-to-end tests: the tests themselves, and what their images run.
const (
	e2ePackage     = "k8s.io/kubernetes/test/e2e"
	agnhostPackage = "k8s.io/kubernetes/test/images/agnhost"
	busyboxPackage = "./busybox"
)

var e2eExecutables = map[string]string{e2ePackage: "e2e.test", agnhostPackage: "agnhost", busyboxPackage: "busybox"}

// BuildE2E builds the end-to-end tests of Kubernetes and the programs of their images into the cache of the module at root.
func BuildE2E(ctx context.Context, out io.Writer, root string) error {
	module := filepath.Join(root, "test", "cluster", "programs")
	version, err := kubernetesVersion(filepath.Join(module, "go.mod"))
	if err != nil {
		return err
	}
	for _, pkg := range []string{busyboxPackage, agnhostPackage, e2ePackage} {
		verb := []string{"build", "-v"}
		if pkg == e2ePackage {
			verb = []string{"test", "-c", "-vet=off"}
		}
		name := e2eExecutables[pkg]
		if err := build(ctx, out, "cluster: build "+name+".exe", module, verb, pkg, version, e2eExe(root, name)); err != nil {
			return fmt.Errorf("build %s: %w", pkg, err)
		}
	}
	return nil
}

func e2eExe(root, name string) string { return filepath.Join(cacheDir(root), name+".exe") }

// E2EBuilt returns an error that wraps [ErrNotBuilt] if the cache of the module at root lacks a program of the tests.
func E2EBuilt(root string) error {
	for _, name := range e2eExecutables {
		if _, err := os.Stat(e2eExe(root, name)); err != nil {
			return fmt.Errorf("%s.exe: %w", name, ErrNotBuilt)
		}
	}
	return nil
}

// E2E prepares the end-to-end tests of Kubernetes with flags that need no cluster.
func E2E(ctx context.Context, wine *testenv.Env, args ...string) *exec.Cmd {
	return wine.Command(ctx, wine.WindowsPath(e2eExe(wine.Root(), "e2e.test")), args...)
}

// E2E prepares a run of the end-to-end tests on the cluster, as a user of [Cluster.AddE2EUser].
func (c *Cluster) E2E(ctx context.Context, user string, args ...string) *exec.Cmd {
	kubectl := filepath.Join(cacheDir(c.Wine.Root()), "kubectl.exe")
	return E2E(ctx, c.Wine, append([]string{
		"--kubeconfig=" + c.Wine.WindowsPath(c.e2eKubeconfig(user)), "--kubectl-path=" + c.Wine.WindowsPath(kubectl),
		"--provider=skeleton", "--node-os-distro=windows", "--num-nodes=1",
	}, args...)...)
}

func (c *Cluster) e2eKubeconfig(user string) string {
	return filepath.Join(c.control.dir, strings.ReplaceAll(user, ":", "-")+".kubeconfig")
}

// AddE2EUser makes the configuration of a user with all rights: the administrator acts as that user.
func (c *Cluster) AddE2EUser(user string) error {
	text, err := os.ReadFile(filepath.Join(c.control.dir, "admin.kubeconfig"))
	if err != nil {
		return err
	}
	type object = map[string]any
	var config struct {
		APIVersion     string   `json:"apiVersion"`
		Kind           string   `json:"kind"`
		CurrentContext string   `json:"current-context"`
		Clusters       []object `json:"clusters"`
		Contexts       []object `json:"contexts"`
		Users          []struct {
			Name string `json:"name"`
			User object `json:"user"`
		} `json:"users"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	config.Users[0].User["as"], config.Users[0].User["as-groups"] = user, []string{"system:masters"}
	if text, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(c.e2eKubeconfig(user), text, 0o600)
}

// commandsOfBusybox are the commands that the tests run by the name of an executable.
var commandsOfBusybox = []string{"sh", "true", "false", "cat", "sleep", "env", "echo"}

// ImportE2EImages imports images for the end-to-end tests under the names that those use, with the same commands. They have
// the tests' own agnhost, and a shell in the place of busybox.
func (c *Cluster) ImportE2EImages(ctx context.Context) error {
	text, err := E2E(ctx, c.Wine, "--list-images").Output()
	if err != nil {
		return fmt.Errorf("list images of the tests: %w", err)
	}
	agnhost, busybox := e2eExe(c.Wine.Root(), "agnhost"), e2eExe(c.Wine.Root(), "busybox")
	shell := map[string]string{"tmp/empty": os.DevNull}
	for _, name := range commandsOfBusybox {
		shell["bin/"+name+".exe"] = busybox
	}
	both := maps.Clone(shell)
	both["agnhost.exe"] = agnhost
	const mount = `%CONTAINER_SANDBOX_MOUNT_POINT%\`
	env := []string{"PATH=" + mount + `bin;C:\windows\system32`, "WINEGAP=volumes"}
	var images []testenv.Image
	for _, name := range strings.Fields(string(text)) {
		if !strings.HasPrefix(name, "registry.k8s.io/") {
			continue // the tests expect that it cannot be pulled
		}
		image := testenv.Image{Name: name, OSVersion: testenv.OSVersion, Env: env}
		switch base, _, _ := strings.Cut(path.Base(name), ":"); base {
		case "agnhost":
			image.Entrypoint, image.Cmd, image.Files = []string{"/agnhost"}, []string{"pause"}, both
		case "busybox":
			image.Cmd, image.Files = []string{mount + `bin\sh.exe`}, shell
		case "pause":
			image.Entrypoint, image.Files = []string{mount + "payload.exe", "sleep", "86400"}, map[string]string{"payload.exe": c.Wine.UnixPath(c.Wine.Exe("payload"))}
		default:
			continue // no program for it can be built
		}
		images = append(images, image)
	}
	return c.Node.importArchive(ctx, images...)
}
