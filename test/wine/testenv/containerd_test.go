package testenv_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// containerdName is a valid name of a containerd, for this test only.
func containerdName(t *testing.T) string {
	return strings.ReplaceAll(strings.ToLower(t.Name()), "_", "-")
}

// startContainerd starts a containerd for one test and stops it with the test.
func startContainerd(t *testing.T, wine *testenv.Env, env ...string) *testenv.Containerd {
	t.Helper()
	c, err := wine.Containerd(t.Context(), containerdName(t), env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log, err := os.ReadFile(c.LogPath())
			t.Logf("containerd.log (%v):\n%s", err, log)
		}
	})
	return c
}

// ctr runs ctr.exe and returns what it prints.
func ctr(ctx context.Context, t *testing.T, c *testenv.Containerd, args ...string) string {
	t.Helper()
	out, err := c.Ctr(ctx, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ctr %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestContainerd_Started_Serves(t *testing.T) {
	c := startContainerd(t, testenv.Require(t))
	if out := ctr(t.Context(), t, c, "version"); !strings.Contains(out, "Server:") {
		t.Errorf("ctr version names no server:\n%s", out)
	}
	if out := ctr(t.Context(), t, c, "plugins", "ls"); !strings.Contains(out, "io.containerd.runtime.v2") {
		t.Errorf("containerd has no runtime plugin:\n%s", out)
	}
}

func TestContainerd_Restarted_KeepsItsState(t *testing.T) {
	c := startContainerd(t, testenv.Require(t))
	ctr(t.Context(), t, c, "namespaces", "create", "kept")
	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := ctr(t.Context(), t, c, "namespaces", "ls", "-q"); !strings.Contains(out, "kept") {
		t.Errorf("the namespace is gone after the restart:\n%s", out)
	}
}

func TestContainerd_Killed_NoLongerAnswers(t *testing.T) {
	c := startContainerd(t, testenv.Require(t))
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if out, err := c.Ctr(t.Context(), "--connect-timeout", "1s", "--timeout", "1s", "version").CombinedOutput(); err == nil {
		t.Errorf("ctr version still answers:\n%s", out)
	}
	if left, err := c.Processes(); err != nil || len(left) > 0 {
		t.Errorf("processes left behind: %v, %v", left, err)
	}
}

func TestContainerd_InvalidName_Refused(t *testing.T) {
	wine := testenv.Require(t)
	for _, name := range []string{"", "bin", `a\b`, "../x", "A"} {
		if c, err := wine.Containerd(t.Context(), name); err == nil {
			t.Errorf("containerd %q started", name)
			_ = c.Stop() // a failure was reported
		}
	}
	startContainerd(t, wine)
	if c, err := wine.Containerd(t.Context(), containerdName(t)); err == nil {
		t.Error("a second containerd of the same name started")
		_ = c.Stop() // a failure was reported
	}
}
