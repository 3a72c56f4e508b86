package command_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/siloshim/siloshim/cmd/silo/command"
	"github.com/siloshim/siloshim/container/podinfo"
)

// podWorld is a machine with a container of a pod and one without.
func podWorld(t *testing.T, p podinfo.Pod) *world {
	t.Helper()
	w := newWorld(t)
	w.container(t, "default/db")
	w.container(t, "k8s.io/"+webID)
	if _, err := w.pods.Publish(podinfo.Key("k8s.io", webID), p); err != nil {
		t.Fatal(err)
	}
	return w
}

var webPod = podinfo.Pod{
	Name: "web-7d4b9c-x2x5z", Namespace: "shop", UID: "8f3b0d54-9b2e-4a1e-8d38-3c53a3a0f0de", Container: "app", Type: "container", Sandbox: "p",
}

// TestPods: what each verb shows of a pod.
func TestPods(t *testing.T) {
	w := podWorld(t, webPod)
	w.Advance(90e9)
	var all strings.Builder
	for _, args := range [][]string{
		{"ps"}, {"ps", "-o", "wide"}, {"ps", "--filter", "pod=shop/web-7d4b9c-x2x5z", "-o", "json"}, {"ps", "--filter", "kind=run"},
		{"ps", "--format", "table {{.ID}}\t{{.ContainerName}}\t{{.Pod}}\t{{.PodNamespace}}\t{{.PodUID}}"}, {"ps", "--format", "{{.ID}}:{{.Labels}}"},
		{"top"}, {"top", "-o", "json", "k8s.io/0123456789ab"}, {"stats"}, {"stats", "-o", "wide", "0123456789ab"}, {"stats", "-o", "json", "0123456789ab"},
		{"stats", "--format", "{{.Name}} {{.PodNamespace}}/{{.Pod}}/{{.ContainerName}}"},
		{"inspect", "--format", "{{.pod.uid}} {{.pod.sandbox_id}} {{.pod.type}}", "0123456789ab"},
		{"inspect", "--format", `{{index .Config.Labels "io.kubernetes.pod.name"}}`, "0123456789ab", "db"},
		{"metrics", "--once"},
	} {
		if code := w.silo(t, args...); code != 0 {
			t.Errorf("silo %s: %d %s", strings.Join(args, " "), code, &w.Stderr)
		}
		text := w.Stdout.String()
		if args[0] == "metrics" {
			text = lines(text, "silo_container_processes{")
		}
		fmt.Fprintf(&all, "$ silo %s\n%s\n", strings.Join(args, " "), text)
	}
	golden(t, "pods.golden", all.String())
}

// lines are the lines of a text that contain a part.
func lines(text, part string) string {
	var all strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			all.WriteString(line)
		}
	}
	return all.String()
}

func TestPs_FilterByPod_ListsItsContainers(t *testing.T) {
	w := podWorld(t, webPod)
	web, all := "k8s.io/0123456789ab\n", "default/db\nk8s.io/0123456789ab\n"
	for filters, want := range map[string]string{
		"": all, "name=0123": web,
		"pod=web-7d4b9c-x2x5z": web, "pod=shop/web-7d4b9c-x2x5z": web, "pod=web": "", "pod=other/web-7d4b9c-x2x5z": "", "pod=other pod=web-7d4b9c-x2x5z": web,
		"label=io.kubernetes.pod.name": web, "label=io.kubernetes.pod.namespace=shop": web, "label=io.kubernetes.pod.namespace=SHOP": "",
		"label=io.kubernetes.container.name=app label=io.kubernetes.pod.uid=" + webPod.UID: web,
		"label=io.kubernetes.container.name=app label=io.kubernetes.pod.uid=another":       "",
		"label=io.cri-containerd.kind=container":                                           web, "label=io.cri-containerd.kind=sandbox": "", "label=com.example": "",
	} {
		args := []string{"ps", "-q"}
		for _, f := range strings.Fields(filters) {
			args = append(args, "--filter", f)
		}
		if code := w.silo(t, args...); code != 0 || w.Stdout.String() != want {
			t.Errorf("%q: exit %d, %q %s; want %q", filters, code, &w.Stdout, &w.Stderr, want)
		}
	}
}

// TestPod_HostileRecord_NothingReachesTheTerminal: any administrator can write the shared memory.
func TestPod_HostileRecord_NothingReachesTheTerminal(t *testing.T) {
	long := strings.Repeat("n", 5000)
	w := podWorld(t, webPod)
	key := podinfo.Key("k8s.io", webID)
	for _, content := range []string{
		`{"name":"\u001b]0;owned\u0007\u001b[2J","namespace":"a\tb\r\nc","uid":"\u202e","container":"` + "\xff\xc0" + `","type":"\u009b31m"}`,
		`{"name":"` + long[:1000] + `","namespace":"` + long[:1000] + `"}`,
		`{"name":"` + long + `"}`, `{"name":["a"]}`, `{}`, "", "\x00", "not json",
	} {
		w.pods.SetPod(key, []byte(content))
		for _, args := range [][]string{
			{"ps"}, {"ps", "-o", "wide"}, {"ps", "-o", "json"}, {"ps", "--format", "{{.Pod}} {{.PodNamespace}} {{.PodUID}} {{.ContainerName}} {{.Labels}}"},
			{"top"}, {"stats", "--no-stream"}, {"stats", "--format", "{{.Pod}}"}, {"inspect", "0123456789ab"}, {"inspect", "-f", "{{.pod}}{{.Config.Labels}}", "0123456789ab"},
			{"metrics", "--once"},
		} {
			if code := w.silo(t, args...); code != 0 {
				t.Errorf("%.60q: silo %s: exit %d %s", content, strings.Join(args, " "), code, &w.Stderr)
			}
			text := w.Stdout.String() + w.Stderr.String()
			if bad := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); bad >= 0 {
				t.Errorf("%.60q: silo %s prints %q", content, strings.Join(args, " "), text[bad:min(len(text), bad+20)])
			}
			if strings.Contains(text, long[:254]) {
				t.Errorf("%.60q: silo %s prints the long name", content, strings.Join(args, " "))
			}
		}
	}
}

func TestShorten_LongName_KeepsBothEnds(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "web-7d4b9c-x2x5z": "web-7d4b9c-x2x5z", strings.Repeat("a", 40): strings.Repeat("a", 40),
		"a-deployment-with-a-very-long-name-7d4b9c-x2x5z": "a-deployment-with-a-very-lon…d4b9c-x2x5z", strings.Repeat("漢", 41): strings.Repeat("漢", 28) + "…" + strings.Repeat("漢", 11),
	} {
		if got := command.Shorten(name, 40); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
