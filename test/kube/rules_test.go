package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Rules that no schema has: those of Kubernetes for HostProcess pods, and the references between the manifests and the
// project.

// at returns a value inside an object.
func at(object any, keys ...string) any {
	for _, key := range keys {
		m, _ := object.(map[string]any)
		object = m[key]
	}
	return object
}

func text(object any, keys ...string) string { s, _ := at(object, keys...).(string); return s }

func list(object any, keys ...string) []any { l, _ := at(object, keys...).([]any); return l }

// pods are the specifications of all pods.
func pods(t *testing.T) map[string]any {
	t.Helper()
	found := map[string]any{}
	for name, object := range objects(t) {
		for _, spec := range []any{at(object, "spec", "template", "spec"), at(object, "spec")} {
			if at(spec, "containers") != nil {
				found[name] = spec
				break
			}
		}
	}
	if len(found) == 0 {
		t.Fatal("no pods")
	}
	return found
}

// https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
func TestManifests_HostProcessPods_FollowTheRules(t *testing.T) {
	for name, pod := range pods(t) {
		if text(pod, "os", "name") != "windows" {
			t.Errorf("%s: os.name is not windows", name)
		}
		isHost, _ := at(pod, "securityContext", "windowsOptions", "hostProcess").(bool)
		network, _ := at(pod, "hostNetwork").(bool)
		if isHost != network {
			t.Errorf("%s: hostProcess %v, hostNetwork %v", name, isHost, network)
		}
		if text(pod, "securityContext", "windowsOptions", "runAsUserName") == "" {
			t.Errorf("%s: no user", name)
		}
	}
}

// A shell in a manifest would parse the arguments again.
func TestManifests_Commands_HaveNoShell(t *testing.T) {
	for name, pod := range pods(t) {
		for _, c := range list(pod, "containers") {
			command := list(c, "command")
			if len(command) == 0 {
				t.Errorf("%s: a container without a command", name)
				continue
			}
			program, _ := command[0].(string)
			base := strings.ToLower(program[strings.LastIndex(program, `\`)+1:])
			for _, shell := range []string{"cmd", "powershell", "pwsh", "sh", "bash"} {
				if strings.TrimSuffix(base, ".exe") == shell {
					t.Errorf("%s: %s", name, program)
				}
			}
		}
	}
}

// Every runtime class has a handler in the drop-in, and every pod has an existing class.
func TestManifests_RuntimeClasses_HaveHandlers(t *testing.T) {
	dropIn, err := os.ReadFile(filepath.Join(deploy, "containerd", "silo.toml"))
	if err != nil {
		t.Fatal(err)
	}
	all := objects(t)
	for name, object := range all {
		if handler := text(object, "handler"); handler != "" && !strings.Contains(string(dropIn), ".containerd.runtimes."+handler+"]") {
			t.Errorf("%s: no handler %s in silo.toml", name, handler)
		}
	}
	for name, pod := range pods(t) {
		if class := text(pod, "runtimeClassName"); class != "" && all["RuntimeClass "+class] == nil {
			t.Errorf("%s: no runtime class %s", name, class)
		}
	}
}

// The help texts of silo have every flag that a manifest uses.
func TestManifests_SiloArguments_AreInItsHelp(t *testing.T) {
	help, err := os.ReadFile("../../cmd/silo/command/testdata/help.golden")
	if err != nil {
		t.Fatal(err)
	}
	for name, pod := range pods(t) {
		for _, c := range list(pod, "containers") {
			args := list(c, "args")
			if !strings.Contains(text(c, "image"), "/silo:") || len(args) == 0 {
				continue
			}
			verb, _ := args[0].(string)
			_, usage, found := strings.Cut(string(help), "$ silo "+verb+" --help\n")
			usage, _, _ = strings.Cut(usage, "\n$ silo ")
			if !found {
				t.Errorf("%s: silo has no verb %q", name, verb)
			}
			for _, arg := range args[1:] {
				if flag, _ := arg.(string); strings.HasPrefix(flag, "--") && !strings.Contains(usage, " "+flag+" ") {
					t.Errorf("%s: silo %s has no %s", name, verb, flag)
				}
			}
		}
	}
}
