package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// runnerOf returns the runner of a kind: ctr and crictl on a node, or silo run without a daemon.
func runnerOf(t *testing.T, kind string, wine *testenv.Env, n *node) runner {
	t.Helper()
	switch kind {
	case "ctr":
		return ctrRunner(n.daemon)
	case "pod":
		return podRunner(t, n)
	}
	return siloRunner(t, wine)
}

// breakable is the specification of a program that is stopped with Ctrl+Break, which every runtime can receive. libuv, which
// node has, does not pass Ctrl+Shutdown on, and that is what SIGTERM is otherwise.
func breakable(args []string) *specs.Spec {
	s := workload.Spec()
	s.Process.Args = args
	s.Annotations[plan.StopSignal] = "CTRL_BREAK"
	return s
}

// tasks counts the processes of a task by `ctr task ps`.
func (d *daemon) tasks(t *testing.T, flags ...string) int {
	t.Helper()
	r := d.try(t, append(flags[:len(flags)-1:len(flags)-1], "task", "ps", flags[len(flags)-1])...)
	return max(0, strings.Count(strings.TrimSpace(r.stdout), "\n")) // less the heading
}

func ctrRunner(d *daemon) runner {
	return runner{
		close: d.nothingLeft,
		run: func(t *testing.T, args []string) int {
			return d.try(t, d.runArgs(t, breakable(args), newID(), "--rm")...).code
		},
		start: func(t *testing.T, args []string) serving {
			id := d.detach(t, breakable(args))
			return serving{
				processes: func(t *testing.T) int { return d.tasks(t, id) },
				memory:    func(t *testing.T) uint64 { return d.memory(t, id).Commit },
				stop: func(t *testing.T) string {
					d.ctr(t, "task", "kill", "-s", "SIGTERM", id)
					d.awaitStopped(t, id)
					d.remove(t, id)
					return "code not shown" // ctr prints no exit code of a task that ran in the background
				},
			}
		},
	}
}

func podRunner(t *testing.T, n *node) runner {
	t.Helper()
	p := n.pod(t)
	pod := n.run(t, p)
	create := func(t *testing.T, args []string) string {
		c := container()
		c.Command = args
		c.Annotations[plan.StopSignal] = "CTRL_BREAK"
		return n.start(t, pod, c, p)
	}
	return runner{
		close: func(t *testing.T) { n.drop(t, pod) },
		run:   func(t *testing.T, args []string) int { return n.exited(t, create(t, args)).Status.ExitCode },
		start: func(t *testing.T, args []string) serving {
			id := create(t, args)
			return serving{
				processes: func(t *testing.T) int { return n.tasks(t, "-n", "k8s.io", id) },
				memory:    func(t *testing.T) uint64 { return n.stats(t, id).Memory.WorkingSetBytes.Value },
				stop: func(t *testing.T) string {
					n.crictl(t, "stop", "-t", "60", id)
					return hex(n.exited(t, id).Status.ExitCode)
				},
			}
		},
	}
}

// hex is an exit code: CRI has a signed number.
func hex(code int) string { return fmt.Sprintf("%#x", uint32(code)) }

// siloSeen is the part of `silo inspect` that the test reads.
type siloSeen struct {
	Record     struct{ Exit *struct{ Code int } }
	Statistics struct {
		Memory struct {
			Commit uint64 `json:"commit_bytes"`
		}
		Processes struct{ Active int }
	}
}

func siloRunner(t *testing.T, wine *testenv.Env) runner {
	t.Helper()
	exe, state := buildSilo(t), t.TempDir()
	silo := func(args ...string) *exec.Cmd {
		cmd := wine.Command(t.Context(), exe, args...)
		cmd.Env = append(cmd.Env, "SILO_STATE="+wine.WindowsPath(state))
		return cmd
	}
	call := func(t *testing.T, args ...string) result {
		out, err := os.CreateTemp(state, "*.out") // a file: Wine's processes would keep a pipe open
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd := silo(args...)
		cmd.Stdout, cmd.Stderr = out, out
		_ = cmd.Run() // its exit code is the result
		return result{stdout: text(t, out.Name()), code: cmd.ProcessState.ExitCode()}
	}
	inspect := func(t *testing.T, id string) siloSeen {
		var list []siloSeen
		r := call(t, "inspect", id)
		if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || len(list) != 1 {
			t.Fatalf("silo inspect: %v\n%s", err, r.stdout)
		}
		return list[0]
	}
	return runner{
		close: func(*testing.T) {},
		run:   func(t *testing.T, args []string) int { return call(t, append([]string{"run", "--"}, args...)...).code },
		start: func(t *testing.T, args []string) serving {
			id := newID()
			if r := call(t, append([]string{"run", "--detach", "--stop-signal", "ctrl-break", "--name", id, "--"}, args...)...); r.code != 0 {
				t.Fatalf("silo run: %+v", r)
			}
			return serving{
				processes: func(t *testing.T) int { return inspect(t, id).Statistics.Processes.Active },
				memory:    func(t *testing.T) uint64 { return inspect(t, id).Statistics.Memory.Commit },
				stop: func(t *testing.T) string {
					if r := call(t, "stop", id); r.code != 0 {
						t.Fatalf("silo stop: %+v", r)
					}
					seen := inspect(t, id)
					if seen.Record.Exit == nil {
						t.Fatalf("%+v, want an exit", seen)
					}
					return hex(seen.Record.Exit.Code)
				},
			}
		},
	}
}
