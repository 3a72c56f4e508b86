package e2e

import (
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// The pod consists of Windows Server containers with a network namespace, on the emulated Host Compute Service (HCS).
func TestWCOWPods_Session_NothingRemains(t *testing.T) {
	wine := testenv.RequireCRI(t)
	for _, h := range testenv.Handlers() {
		t.Run(h, func(t *testing.T) {
			env, log := serviceEnv(t, wine)
			n := startNode(t, wine, h, env...)
			p := n.pod(t)
			p.Windows, p.Annotations = security{}, nil
			pod := n.run(t, p)
			var ids []string
			for range 2 {
				ids = append(ids, n.start(t, pod, isolated("tree", "1", "600"), p))
			}
			if err := n.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				n.saysHello(t, id)
				if got := n.stats(t, id); got.Memory.WorkingSetBytes.Value == 0 {
					t.Errorf("stats %+v, want memory", got)
				}
			}
			bye := n.start(t, pod, isolated("say", "7", "bye"), p)
			if s := n.exited(t, bye).Status; s.ExitCode != 7 {
				t.Errorf("after the exit: %+v", s)
			}
			if got := n.try(t, "logs", bye).stdout; strings.TrimSpace(got) != "bye" {
				t.Errorf("the log is %q, want bye", got)
			}
			n.crictl(t, "stop", "--timeout", "0", ids[0])
			n.crictl(t, "rm", ids[0])
			n.drop(t, pod)
			n.nothingLeft(t)
			service := &service{n.daemon, log}
			if made, closed := len(service.calls(t, "HcsCreateComputeSystem")), len(service.calls(t, "HcsCloseComputeSystem")); made < 3 || closed < made {
				t.Errorf("%d systems were made and %d closed, want at least 3", made, closed)
			}
		})
	}
}

// isolated describes a Windows Server container.
func isolated(args ...string) *containerConfig {
	c := container(args...)
	c.Windows, c.Annotations = security{}, nil
	return c
}
