package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// serviceConfig is a node's configuration without the shim.
const serviceConfig = `version = %[3]d
root = '%[1]s\root'
state = '%[1]s\state'
disabled_plugins = ['io.containerd.internal.v1.opt']
[grpc]
  address = '%[2]s'
`

const netExe = `C:\windows\system32\net.exe`

// serviceNode is a machine where containerd is a service, with CRI.
type serviceNode struct {
	*testenv.Env
	ctx          context.Context
	name, prefix string
	silo         string
}

// newServiceNode starts the service of a version of containerd.
func newServiceNode(t *testing.T, version string) *serviceNode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	n := &serviceNode{
		Env: testenv.Require(t), ctx: ctx, name: fmt.Sprintf("silo-e2e-%d-%d", os.Getpid(), serial.Add(1)), prefix: t.TempDir(), silo: buildSilo(t),
	}
	form, more := 3, ""
	if strings.HasPrefix(version, "1.") {
		form, more = 2, own
	}
	daemon, config := filepath.Join(n.prefix, "containerd.exe"), filepath.Join(n.prefix, "config.toml")
	text := fmt.Sprintf(serviceConfig, n.WindowsPath(n.prefix), `\\.\pipe\`+n.name, form) + more
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(containerdExe(n.Env, version), daemon); err != nil {
		t.Fatal(err)
	}
	n.call(t, n.WindowsPath(daemon), "--service-name", n.name, "--config", n.WindowsPath(config), "--register-service")
	t.Cleanup(func() {
		n.ctx = context.WithoutCancel(ctx)
		n.call(t, netExe, "stop", n.name)
		n.call(t, n.WindowsPath(daemon), "--service-name", n.name, "--unregister-service")
	})
	n.call(t, netExe, "start", n.name)
	return n
}

// call runs a program that must succeed.
func (n *serviceNode) call(t *testing.T, exe string, args ...string) string {
	t.Helper()
	r := run(t, n.Command(n.ctx, exe, args...))
	if r.code != 0 {
		t.Fatalf("%s %q: exit %d: %s", exe, args, r.code, r.stderr)
	}
	return r.stdout
}

// ours are the runtime handlers in CRI that use the shim.
func (n *serviceNode) ours(t *testing.T) []string {
	t.Helper()
	n.await(t)
	text := n.call(t, n.Exe("crictl"), "--runtime-endpoint", "npipe:////./pipe/"+n.name, "info")
	var info struct {
		Config struct {
			Containerd struct{ Runtimes map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	all := slices.Sorted(maps.Keys(info.Config.Containerd.Runtimes))
	return slices.DeleteFunc(all, func(handler string) bool { return !strings.HasPrefix(handler, "silo") })
}

// await waits until containerd answers: a service is running before its program is ready.
func (n *serviceNode) await(t *testing.T) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		r := run(t, n.Command(n.ctx, n.Exe("ctr"), "--address", `\\.\pipe\`+n.name, "--connect-timeout", "2s", "version"))
		if r.code == 0 {
			return
		}
		select {
		case <-n.ctx.Done():
			t.Fatalf("%v; ctr printed: %s", n.ctx.Err(), r.stderr)
		case <-again.C:
		}
	}
}

// silo finds containerd by its service and restarts that. CRI has the handlers afterwards.
func TestSiloInstall_ContainerdService_IsRestarted(t *testing.T) {
	version := cmp.Or(os.Getenv(testenv.DaemonKey), testenv.Daemons[0])
	n := newServiceNode(t, version)
	if before := n.ours(t); len(before) > 0 {
		t.Fatalf("before the installation there are %q", before)
	}
	node := []string{"--service", n.name, "--restart"}
	n.call(t, n.WindowsPath(n.silo), slices.Concat([]string{"install", "--edit", "--shim", n.Exe("containerd-shim-silo-v1")}, node)...)
	want := []string{"silo", "silo-sandbox"}
	if strings.HasPrefix(version, "1.") {
		want = want[:1]
	}
	if after := n.ours(t); !slices.Equal(after, want) {
		t.Errorf("after the installation there are %q, want %q", after, want)
	}
	n.call(t, n.WindowsPath(n.silo), slices.Concat([]string{"uninstall", "--force"}, node)...)
	if after := n.ours(t); len(after) > 0 {
		t.Errorf("after the uninstallation there are %q", after)
	}
}
