package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// siloOn is silo.exe on the machine of a node.
type siloOn struct {
	*node
	exe string
}

// run runs silo and fails the test unless it succeeds.
func (s *siloOn) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r := run(t, s.wine.Command(ctx, s.exe, args...))
	if r.code != 0 && (r.killed == 0 || r.stdout == "") {
		t.Fatalf("silo %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// pods are the pods of containers by the id of the container, as silo ps lists them.
func (s *siloOn) pods(t *testing.T, flags ...string) map[string]podinfo.Pod {
	t.Helper()
	var rows []struct {
		Name string
		Pod  *podinfo.Pod
	}
	text := s.run(t, append([]string{"ps", "-o", "json"}, flags...)...)
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		t.Fatalf("silo ps: %v in %s", err, text)
	}
	all := map[string]podinfo.Pod{}
	for _, r := range rows {
		if r.Pod != nil {
			all[r.Name[strings.LastIndexByte(r.Name, '/')+1:]] = *r.Pod
		}
	}
	return all
}

// of is the pod of a container as silo shows it.
func (p *podConfig) of(c *containerConfig, id string) podinfo.Pod {
	return podinfo.Pod{
		Name: p.Metadata.Name, Namespace: p.Metadata.Namespace, UID: p.Metadata.UID, Container: c.Metadata.Name, Type: "container", Sandbox: id,
	}
}

// TestPods_Silo_ShowsPods: silo finds the pod of each container of CRI beside its job, also after a restart of containerd.
// A container of ctr has none. After the end of a container its pod is not found any more.
func TestPods_Silo_ShowsPods(t *testing.T) {
	exe := buildSilo(t)
	for _, h := range testenv.Handlers() {
		t.Run(h, func(t *testing.T) {
			n := newNode(t, h)
			s := &siloOn{n, exe}
			want := map[string]podinfo.Pod{}
			var pods []string
			var first, last string
			for range 2 {
				p := n.pod(t)
				p.Metadata.Namespace = "shop"
				pod := n.run(t, p)
				pods = append(pods, pod)
				for range 2 {
					c := container("sleep", "600")
					last = n.start(t, pod, c, p)
					want[last] = p.of(c, pod)
					if first == "" {
						first = last
					}
				}
			}
			if diff := cmp.Diff(want, s.pods(t)); diff != "" {
				t.Errorf("pods (-want +got):\n%s", diff)
			}
			if err := n.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			name := want[first].Name
			if got := s.pods(t, "--filter", "pod=shop/"+name); len(got) != 2 || got[first] != want[first] {
				t.Errorf("after a restart of containerd: %+v, want the containers of %s", got, name)
			}
			for verb, args := range map[string][]string{
				"ps": {"ps"}, "top": {"top"}, "stats": {"stats", "--no-stream"},
			} {
				if text := s.run(t, args...); !strings.Contains(text, "NAMESPACE") || !strings.Contains(text, name) {
					t.Errorf("silo %s does not show pod %s:\n%s", verb, name, text)
				}
			}
			if got := strings.TrimSpace(s.run(t, "inspect", "--format", "{{.pod.uid}}", first)); got != want[first].UID {
				t.Errorf("inspect has the uid %q, want %q", got, want[first].UID)
			}
			for id, p := range want {
				series := fmt.Sprintf(`silo_container_processes{container="%s",container_id="%s",kind="task",namespace="shop",pod="%s"} `, p.Container, id, p.Name)
				if text := s.run(t, "metrics", "--once"); !strings.Contains(text, series) {
					t.Errorf("no series %s", series)
				}
			}
			n.crictl(t, "stop", "--timeout", "0", last)
			n.crictl(t, "rm", last)
			if _, found := s.pods(t)[last]; found {
				t.Error("the pod of a removed container is found")
			}
			for _, pod := range pods {
				n.drop(t, pod)
			}
			n.nothingLeft(t)
		})
	}
}

// TestPods_SiloEvents_NamePods reports the start and the end of a container with its pod.
func TestPods_SiloEvents_NamePods(t *testing.T) {
	n := newNode(t, testenv.Handlers()[0])
	s := &siloOn{n, buildSilo(t)}
	cmd := s.wine.Command(t.Context(), s.exe, "events", "--interval", "200ms", "--format", "{{.Event}} {{.Container}} {{.PodNamespace}}/{{.Pod}}/{{.ContainerName}}")
	out, err := os.Create(filepath.Join(n.dir, "events.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // ends it
		_ = cmd.Wait()         // reports that
	})
	p := n.pod(t)
	pod := n.run(t, p)
	var started []string
	reported := ""
	until(t, "silo reports a container", func() bool { // what runs at the first list is not reported
		c := container("sleep", "600")
		id := n.start(t, pod, c, p)
		names := fmt.Sprintf(" k8s.io/%s default/%s/%s\n", id, p.Metadata.Name, c.Metadata.Name)
		started = append(started, names)
		for _, names := range started {
			if strings.Contains(text(t, out.Name()), "container-appeared"+names) {
				reported = names
			}
		}
		return reported != ""
	})
	n.drop(t, pod)
	until(t, "silo reports its end", func() bool { return strings.Contains(text(t, out.Name()), "container-gone"+reported) })
	n.nothingLeft(t)
}
