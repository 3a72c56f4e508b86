package command_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// environment is that of a program which silo run starts with these flags.
func environment(t *testing.T, w *world, flags ...string) []string {
	t.Helper()
	var env []string
	w.Program("app.exe", func(p *jobtest.Proc) uint32 { env = p.Env; return 0 })
	if code := w.silo(t, append(append([]string{"run", "--clean-env"}, flags...), "--", "app")...); code != 0 {
		t.Fatalf("exit %d: %s", code, &w.Stderr)
	}
	return env
}

func (w *world) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A name without a value takes that of silo's own environment, and sets nothing where there is none, as with docker.
func TestRun_BareName_TakesItFromHere(t *testing.T) {
	w := newWorld(t)
	w.app.Env = append(w.app.Env, "HERE=1", "EMPTY=")
	file := w.file(t, "env", "here\n  EMPTY\r\nUNSET_IN_FILE\nLAST= two words \n")
	env := environment(t, w, "--env-file", file, "-e", "HERE", "-e", "UNSET", "-e", "A=")
	for _, want := range []string{"EMPTY=", "HERE=1", "LAST= two words ", "A="} {
		if !slices.Contains(env, want) {
			t.Errorf("%q is missing in %q", want, env)
		}
	}
	for _, entry := range env {
		if strings.HasPrefix(entry, "UNSET") {
			t.Errorf("%q is set", entry)
		}
	}
}

// A line may be longer than the 64 KiB of a bufio.Scanner; Windows limits the variable, and then the error names the file.
func TestRun_EnvFileWithLongLine_LaterLinesAreRead(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", 30_000)
	file := w.file(t, "env", "# "+strings.Repeat("-", 70_000)+"\nLONG="+long+"\nLAST=1")
	if env := environment(t, w, "--env-file", file); !slices.Contains(env, "LONG="+long) || !slices.Contains(env, "LAST=1") {
		t.Errorf("%d variables, want LONG and LAST", len(env))
	}
}

func TestRun_EnvFilesJoined_MarkInsideIsNoPartOfAName(t *testing.T) {
	w := newWorld(t)
	file := w.file(t, "env", "\uFEFFA=1\r\n\uFEFFB=2\r\n")
	other := w.file(t, "other", "\uFEFFC=3")
	env := environment(t, w, "--env-file", file, "--env-file", other)
	for _, want := range []string{"A=1", "B=2", "C=3"} {
		if !slices.Contains(env, want) {
			t.Errorf("%q is missing in %q", want, env)
		}
	}
}

func TestRun_BadVariable_NamesPlaceAndNoValue(t *testing.T) {
	w := newWorld(t)
	bad := w.file(t, "bad", "A=1\n=hush\n")
	marked := w.file(t, "marked", "A\x00=\x001\x00")
	for want, args := range map[string][]string{
		"--env-file " + bad + ": line 2: no name before \"=\"; write NAME=VALUE":        {"--env-file", bad},
		"--env-file: read " + marked + ": the file is UTF-16 without a byte order mark": {"--env-file", marked},
		"--env, number 2: no name before \"=\"; write NAME=VALUE":                       {"-e", "A=1", "-e", "=hush"},
	} {
		code := w.silo(t, append(append([]string{"run"}, args...), "--", "app")...)
		if text := w.Stderr.String(); code != 125 || !strings.Contains(text, want) || strings.Contains(text, "hush") {
			t.Errorf("%q: exit %d %s, want %q", args, code, text, want)
		}
	}
}
