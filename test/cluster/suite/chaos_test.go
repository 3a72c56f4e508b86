package suite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

var (
	rounds = flag.Int("chaos", 20, "rounds of chaos: in each a daemon, a shim or a program is killed")
	seed   = flag.Uint64("seed", 0, "the seed of the rounds; 0 for a new one, which is printed")
)

// chaosPods is what runs during the rounds: 12 pods of 5 kinds, with both handlers.
var chaosPods = []struct {
	kind, collection string
	spec             object
	pods             int
	handler          string
}{
	{"Deployment", "deployments", object{"replicas": 3}, 3, testenv.SiloHandler},
	{"StatefulSet", "statefulsets", object{"replicas": 3, "serviceName": "test", "podManagementPolicy": "Parallel"}, 3, testenv.SandboxHandler},
	{"ReplicaSet", "replicasets", object{"replicas": 3}, 3, testenv.SandboxHandler},
	{"DaemonSet", "daemonsets", object{}, 1, testenv.SiloHandler},
}

// chaos kills at random. After each round every pod is ready again, only what was killed has restarted, and the logs go on
// without a gap.
func (c *suite) chaos(t *testing.T) {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d, %d rounds", s, *rounds)
	random := rand.New(rand.NewPCG(s, s))
	namespaces := map[string]int{"silo-system": 2} // the DaemonSets of deploy/kubernetes, which are victims, too
	for _, p := range chaosPods {
		namespace := c.namespace(t)
		namespaces[namespace] = p.pods
		c.create(t, namespace, p.collection, manifest("apps/v1", p.kind, controlled(podSpec(p.handler, payload("main", "sleep", "86400")), p.spec)))
	}
	// The fifth kind: two pods that print a thousand lines a second.
	end := filepath.Join(t.TempDir(), "end")
	printing := c.namespace(t)
	namespaces[printing] = len(handlers)
	for _, h := range handlers {
		c.create(t, printing, "pods", pod(h, podSpec(h, payload("main", "count", c.Wine.WindowsPath(end)))))
	}
	restarts := c.settled(t, namespaces, 0)
	earlier := restarts // of the DaemonSets, in other cases
	killed, logs, total := map[string]int{}, map[string]countedLog{}, 0
	begin := time.Now()
	for round := range *rounds {
		victim := victims[random.IntN(len(victims))]
		what, err := victim.kill(t.Context(), c, random)
		if err != nil {
			t.Fatalf("round %d, seed %d: kill %s: %v", round, s, victim.name, err)
		}
		killed[victim.name]++
		now := c.settled(t, namespaces, restarts+victim.restarts)
		if now != restarts+victim.restarts {
			t.Fatalf("round %d, seed %d: after %s %d containers have restarted, want %d", round, s, what, now-restarts, victim.restarts)
		}
		restarts = now
		lost, err := c.continued(t, printing, logs)
		if err != nil {
			t.Fatalf("round %d, seed %d: after %s: %v", round, s, what, err)
		}
		if lost > victim.lines {
			t.Fatalf("round %d, seed %d: after %s %d lines are lost, want at most %d", round, s, what, lost, victim.lines)
		}
		t.Logf("round %d, %v: killed %s; %d containers restarted, %d lines lost", round, time.Since(begin).Round(time.Second), what, victim.restarts, lost)
		total += lost
	}
	c.accounted(t, printing, end, logs)
	for _, name := range slices.Sorted(maps.Keys(killed)) {
		t.Logf("killed %s: %d times", name, killed[name])
	}
	printed := 0
	for _, log := range logs {
		printed += log.lines
	}
	t.Logf("containers restarted: %d, each of them killed; of %d lines %d are lost", restarts-earlier, printed, total)
}

// victim is something to kill.
type victim struct {
	name     string
	restarts int // of containers
	lines    int // that may be lost
	kill     func(ctx context.Context, c *suite, random *rand.Rand) (what string, err error)
}

// unwritten bounds the lines that are lost with containerd: those in the pipes and in its buffers, 112 KiB for each of two programs
// with lines of six bytes. A busy machine can fill them. What it has not accepted must not be lost, see accounted.
const unwritten = 2 * 112 << 10 / 6

var victims = []victim{
	{"containerd", 0, unwritten, func(ctx context.Context, c *suite, random *rand.Rand) (string, error) {
		return again(ctx, "containerd", random, c.Node.Kill, func() error { return c.Node.Restart(ctx) })
	}},
	{"kubelet", 0, 0, func(ctx context.Context, c *suite, random *rand.Rand) (string, error) {
		return again(ctx, "kubelet", random, c.Node.KillKubelet, c.Node.StartKubelet)
	}},
	{"apiserver", 0, 0, func(ctx context.Context, c *suite, random *rand.Rand) (string, error) {
		return again(ctx, "apiserver", random, c.KillAPIServer, c.StartAPIServer)
	}},
	{"shim", 1, 0, func(_ context.Context, c *suite, random *rand.Rand) (string, error) {
		return c.killProcess(random, "containerd-shim-silo")
	}},
	{"program", 1, 0, func(_ context.Context, c *suite, random *rand.Rand) (string, error) {
		return c.killProcess(random, "payload")
	}},
}

// again kills a daemon and starts it again after a moment. Its pods continue meanwhile.
func again(ctx context.Context, name string, random *rand.Rand, kill, start func() error) (string, error) {
	if err := kill(); err != nil {
		return name, err
	}
	pause := time.NewTimer(time.Duration(1000+random.IntN(3000)) * time.Millisecond) // the outage, not a wait
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
	return name, start()
}

// identifier matches the beginning of the identifier of a container or a pod: an executable's path or an argument has it.
var identifier = regexp.MustCompile(`\b[0-9a-f]{12}`)

// killProcess ends a random process of the node whose executable's name begins so.
func (c *suite) killProcess(random *rand.Rand, name string) (string, error) {
	all, err := c.named(name)
	if err != nil {
		return name, err
	}
	if len(all) == 0 {
		return name, errors.New("none runs")
	}
	slices.SortFunc(all, func(a, b testenv.Process) int { return a.Pid - b.Pid })
	p := all[random.IntN(len(all))]
	return fmt.Sprintf("%s of %s", name, identifier.FindString(strings.Join(p.Args, " "))), p.Kill()
}

// named are the processes of the node whose executable's name begins so.
func (c *suite) named(name string) ([]testenv.Process, error) {
	all, err := c.Node.Processes()
	return slices.DeleteFunc(all, func(p testenv.Process) bool { return !strings.HasPrefix(p.Name(), name) }), err
}

// settled waits until each namespace has as many pods as wanted, all ready with one shim each, and at least as many restarts. It
// returns the number of restarts.
func (c *suite) settled(t *testing.T, namespaces map[string]int, restarts int) (got int) {
	t.Helper()
	until(t, "all pods are ready again", func() (bool, error) {
		got = 0
		wanted := 0
		for namespace, want := range namespaces {
			wanted += want
			pods, err := c.Pods(t.Context(), namespace, "")
			if err != nil {
				return false, err
			}
			for i := range pods {
				if !ready(&pods[i]) {
					return false, errors.New(describe(pods))
				}
				for _, s := range pods[i].Status.ContainerStatuses {
					got += s.RestartCount
				}
			}
			if len(pods) != want {
				return false, fmt.Errorf("%d pods, want %d", len(pods), want)
			}
		}
		shims, err := c.named("containerd-shim-silo") // also of earlier pods, until kubelet removes their sandboxes
		if err != nil {
			return false, err
		}
		return got >= restarts && len(shims) == wanted, fmt.Errorf("%d restarts, want %d; %d shims, want %d", got, restarts, len(shims), wanted)
	})
	return got
}
