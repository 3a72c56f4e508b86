package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the output of examples that differs into their pages")

// session runs the examples of a page in order, in a state directory and a working directory for them.
type session struct {
	*hcs
	dir  string // where app.exe and tool.exe are, a Unix path
	code int    // the exit code of the command before
}

func newSession(t *testing.T) *session {
	t.Helper()
	s := &session{hcs: newHCS(t)}
	s.dir = s.wine.UnixPath(`C:\shop`)
	layer := s.wine.UnixPath(`C:\layers\servercore`)
	for _, dir := range []string{s.dir, layer} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a program of a failed test may still use it
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(s.dir, "app.exe"), "./test/cli/app")
	cmd.Dir = s.wine.Root()
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build app.exe: %v\n%s", err, out)
	}
	s.copy(t, filepath.Join(s.dir, "app.exe"), filepath.Join(s.dir, "tool.exe"))
	s.copy(t, s.exe, filepath.Join(s.dir, "silo.exe"))
	s.copy(t, filepath.Join(s.layer, "layerchain.json"), filepath.Join(layer, "layerchain.json"))
	for name, text := range map[string]string{"config.json": nspawnExample} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { s.end(t) })
	return s
}

// nspawnExample is the file of the example of silo nspawn. The emulated service has the files of the host.
const nspawnExample = `{
  "process_directory": "C:/shop", "process_executable": "app.exe", "process_arguments": ["--exit", "0"],
  "max_ram_mb": 512, "cpus_count": 1, "max_cpu_percent": 25, "mapped_directory": "C:/shop",
  "stdout_filename": "out.txt", "parent_layer_directory": "C:/layers/servercore"
}
`

func (s *session) copy(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// end kills the containers that the examples have left.
func (s *session) end(t *testing.T) {
	left, err := os.ReadDir(s.state)
	if err != nil {
		t.Error(err)
	}
	for _, e := range left {
		for _, verb := range []string{"kill", "wait"} {
			cmd := s.prepare(context.Background(), []string{s.exe, verb, e.Name()}) // t.Context() is done
			_ = cmd.Run()                                                           // most have ended
		}
	}
}

// prepare makes a command in the session's directories.
func (s *session) prepare(ctx context.Context, args []string) *exec.Cmd {
	cmd := s.wine.Command(ctx, args[0], args[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(cmd.Env, "SILO_STATE="+s.wine.WindowsPath(s.state), `WINEPATH=C:\shop`)
	if slices.Contains(args, "--server") || slices.Contains(args, "nspawn") || slices.Contains(args, "cleanup") {
		cmd.Env = append(cmd.Env, s.env...)
	}
	return cmd
}

// run runs an example and returns what it prints.
func (s *session) run(t *testing.T, e example) []string {
	t.Helper()
	if e.command == "echo %ERRORLEVEL%" {
		return []string{fmt.Sprint(s.code)}
	}
	args := words(e.command)
	if args[0] == "silo" {
		args[0] = s.exe
	}
	// What another example has begun, such as the start of a program, may not have happened yet.
	const tries = 5
	for try := 1; ; try++ {
		got := s.once(t, e, args)
		if try == tries || !readOnly(args) || same(e.output, got) {
			return got
		}
	}
}

// readOnly reports whether a command may be repeated without a change.
func readOnly(args []string) bool {
	return len(args) > 1 && slices.Contains([]string{"ps", "top", "stats", "logs", "inspect", "explain", "doctor", "events", "help", "version", "cleanup"}, args[1]) &&
		!slices.Contains(args, "--yes")
}

func (s *session) once(t *testing.T, e example, args []string) []string {
	t.Helper()
	// A minute is for an example that never prints what its page says.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := s.prepare(ctx, args)
	out := scratch(t) // a file, as in [silo.try]
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", e.command, err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // the exit code is looked at below
	at, interrupted := 0, slices.Index(e.output, ctrlC)
	if interrupted >= 0 {
		at = s.await(ctx, e.output[:interrupted], out, ended)
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
	}
	<-ended
	s.code = cmd.ProcessState.ExitCode()
	text := content(t, out)
	switch {
	case interrupted < 0:
		return s.lines(text)
	case interrupted == len(e.output)-1:
		at = len(text)
	}
	return append(append(s.lines(text[:at]), ctrlC), s.lines(text[at:])...)
}

// ctrlC stands in an example where the command is interrupted.
const ctrlC = "^C"

// await returns the length of the output when a command has printed these lines, or has ended.
func (s *session) await(ctx context.Context, lines []string, out *os.File, ended <-chan struct{}) int {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		text, err := os.ReadFile(out.Name())
		if err == nil && same(lines, s.lines(string(text))) {
			return len(text)
		}
		select {
		case <-again.C:
		case <-ended:
			return len(text)
		case <-ctx.Done():
			return len(text)
		}
	}
}

// lines are those of an output, with the directory that silo uses without SILO_STATE.
func (s *session) lines(text string) []string {
	state, usual := s.wine.WindowsPath(s.state), `C:\ProgramData\silo\run`
	text = strings.NewReplacer("\r\n", "\n", state, usual, strings.ReplaceAll(state, `\`, `\\`), strings.ReplaceAll(usual, `\`, `\\`)).Replace(text)
	if text = strings.TrimRight(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// loopback is an address at which an example listens.
var loopback = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// inUse returns the address of an example at which another program of this machine listens, such as the same test in another
// checkout.
func inUse(e example) string {
	address := loopback.FindString(strings.Join(e.output, "\n"))
	if address == "" {
		return ""
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return address
	}
	_ = l.Close() // nothing connected
	return ""
}

// play runs the examples of a page and compares. With -update it writes the output of those that differ. It returns how many
// there are.
func play(t *testing.T, s *session, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Split(string(text), "\n")
	excluded, run := map[string]int{}, 0
	var changed []example
	all := examples(page)
	for _, e := range all {
		if e.notRun != "" {
			excluded[e.notRun]++
			continue
		}
		if address := inUse(e); address != "" {
			excluded[address+" is in use by another program"]++
			continue
		}
		run++
		got := s.run(t, e)
		if same(e.output, got) {
			continue
		}
		if !*update {
			t.Errorf("%s:%d: %s (-the page +silo); -update writes it\n%s", path, e.line+1, e.command, diff.Diff(normal(e.output), normal(got)))
		}
		e.output = shorten(e.output, got)
		changed = append(changed, e)
	}
	t.Logf("%s: %d examples run", path, run)
	for reason, n := range excluded {
		t.Logf("%s: %d examples not run: %s", path, n, reason)
	}
	if !*update || len(changed) == 0 {
		return len(all)
	}
	slices.SortFunc(changed, func(a, b example) int { return cmp.Compare(b.line, a.line) })
	for _, e := range changed {
		var output []string
		for _, line := range e.output {
			output = append(output, strings.TrimRight(indent+line, " "))
		}
		page = slices.Replace(page, e.line+1, e.end, output...)
	}
	if err := os.WriteFile(path, []byte(strings.Join(page, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	return len(all)
}
