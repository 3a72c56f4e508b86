//go:build faults

package bootstrap

import (
	"os"
	"slices"
	"testing"

	"github.com/siloshim/siloshim/internal/fault"
)

// TestServe_EndsAtEachCall_NothingLeft ends the serving process before and after each of its calls at files and pipes. start says so in one
// line, and delete leaves nothing but what containerd made itself.
func TestServe_EndsAtEachCall_NothingLeft(t *testing.T) {
	points := 0
	for _, call := range []string{"listen on log pipe", "make crash file", "listen"} {
		for _, when := range []string{"before", "after"} {
			points++
			t.Run(when+" "+call, func(t *testing.T) {
				d := newDaemon(t)
				bundle := d.bundle("c1", goodConfig)
				before := names(t, bundle)
				d.env = append(d.env, fault.LastEnv+"="+call+":"+when)
				out, err := d.start("c1", bundle, nil)
				if err == nil || len(out) == 0 {
					t.Errorf("start: %v, %q; want a reason", err, out)
				}
				for range 3 {
					if code, _, stderr := cleanUp(bundle); code != 0 {
						t.Errorf("delete: status %d, %s", code, stderr)
					}
				}
				if after := names(t, bundle); !slices.Equal(before, after) {
					t.Errorf("files before %v, after %v", before, after)
				}
				if _, err := os.Stat(string(crashPath(bundle, "c1"))); err == nil {
					t.Error("the crash file is left")
				}
			})
		}
	}
	t.Logf("%d points", points)
}

// TestDelete_EndsAtEachCall_NextFinishes ends the verb delete at each of its calls at the crash file; the next one finishes the work.
func TestDelete_EndsAtEachCall_NextFinishes(t *testing.T) {
	for _, call := range []string{"open crash file", "remove crash file"} {
		for _, when := range []string{"before", "after"} {
			t.Run(when+" "+call, func(t *testing.T) {
				d := newDaemon(t)
				bundle := d.bundle("c1", goodConfig)
				if err := os.WriteFile(string(crashPath(bundle, "c1")), []byte("panic: in the test\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				d.env = append(d.env, fault.LastEnv+"="+call+":"+when)
				if err := d.command(bundle, nil, deleteArgs(bundle)...).Run(); err == nil {
					t.Error("delete lived on")
				}
				if code, _, stderr := cleanUp(bundle); code != 0 {
					t.Errorf("delete: status %d, %s", code, stderr)
				}
				if _, err := os.Stat(string(crashPath(bundle, "c1"))); err == nil {
					t.Error("the crash file is left")
				}
			})
		}
	}
}

// cleanUp runs the verb delete.
func cleanUp(bundle string) (code int, stdout, stderr string) {
	code, out, words := call(testShim{}, nil, deleteArgs(bundle)...)
	return code, out.String(), words.String()
}
