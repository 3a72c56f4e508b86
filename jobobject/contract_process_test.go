package jobobject_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func testExitCode(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	// 259 is also the code that GetExitCodeProcess gives for a running process.
	for _, code := range []uint32{0, 7, 259, 4294967295} {
		p := start(t, j, e.options("exit", strconv.FormatUint(uint64(code), 10)))
		if got := wait(t, p); got != code {
			t.Errorf("exit code = %d, want %d", got, code)
		}
		if got := wait(t, p); got != code {
			t.Errorf("exit code of a second wait = %d, want %d", got, code)
		}
	}
}

func testCommandLine(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	o := e.options(`args "" "a b" a\b "a\\" \"q\" & | %PATH% ^ ä😀`)
	got, code := output(t, j, o)
	var want strings.Builder
	for _, a := range []string{"", "a b", `a\b`, `a\`, `"q"`, "&", "|", "%PATH%", "^", "ä😀"} {
		want.WriteString(strconv.Quote(a) + "\n")
	}
	if got != want.String() || code != 0 {
		t.Errorf("code %d, arguments:\n%swant:\n%s", code, got, want.String())
	}
}

// testArguments passes the same arguments as a list.
func testArguments(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	args := []string{"", "a b", `a\b`, `a b\`, `\\"q"`, "&", "|", "%PATH%", "^", "tab\there", "ä😀"}
	o := e.options()
	o.CommandLine, o.Args = "", append([]string{e.application, "args"}, args...)
	var want strings.Builder
	for _, a := range args {
		want.WriteString(strconv.Quote(a) + "\n")
	}
	if got, code := output(t, j, o); got != want.String() || code != 0 {
		t.Errorf("code %d, arguments:\n%swant:\n%s", code, got, want.String())
	}
}

// testManyArguments passes 10,000 random arguments, which consist of the special characters, to real programs.
func testManyArguments(t *testing.T, e environment) {
	const programs, each = 20, 500
	j := e.create(t, jobobject.Options{KillOnClose: true})
	random := rand.New(rand.NewPCG(3, 4))
	letters := []rune("\\\\\"\" \ta&|%^<>ü😀\n\v\u00A0")
	for program := range programs {
		var args []string
		var want strings.Builder
		for range each {
			word := make([]rune, random.IntN(8))
			for i := range word {
				word[i] = letters[random.IntN(len(letters))]
			}
			args = append(args, string(word))
			want.WriteString(strconv.Quote(string(word)) + "\n")
		}
		o := e.options()
		o.CommandLine, o.Args = "", append([]string{e.application, "args"}, args...)
		if got, code := output(t, j, o); got != want.String() || code != 0 {
			t.Fatalf("program %d: code %d, arguments:\n%swant:\n%s", program, code, got, want.String())
		}
	}
}

func testEnvironment(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	o := e.options("env", "SILO_TEST")
	o.Env = append([]string{"silo_test=lost", "Silo_Test=ä = 1"}, e.env...)
	if got, code := output(t, j, o); got != "ä = 1\n" || code != 0 {
		t.Errorf("code %d, value %q", code, got)
	}
	if got, code := output(t, j, e.options("env", "SILO_TEST")); got != "" || code != 1 {
		t.Errorf("code %d, value %q of a variable that was not given", code, got)
	}
}

func testStreams(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	errR, errW := pipe(t)
	o := e.options("cat")
	o.Stdin, o.Stdout, o.Stderr = inR, outW, errW
	p := start(t, j, o)
	inR.Close()
	outW.Close()
	errW.Close()
	sent := strings.Repeat("0123456789abcdef", 1<<14)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := io.WriteString(inW, sent); err != nil {
			t.Error(err)
		}
		inW.Close()
	})
	got, err := io.ReadAll(outR)
	if err != nil || string(got) != sent {
		t.Errorf("%d bytes came back, %v, want the %d sent", len(got), err, len(sent))
	}
	wg.Wait()
	if n, err := io.ReadAll(errR); err != nil || string(n) != "262144\n" {
		t.Errorf("stderr = %q, %v", n, err)
	}
	if code := wait(t, p); code != 0 {
		t.Errorf("exit code = %d", code)
	}
}

// testNoStreams: an absent stdin ends at once, an absent stdout takes all.
func testNoStreams(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	if code := wait(t, start(t, j, e.options("cat"))); code != 0 {
		t.Errorf("exit code = %d, want 0", code)
	}
}

// testInheritance starts a lasting process while the write end of another's
// pipe is open: the pipe must end although that process lives on.
func testInheritance(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	r, w := pipe(t)
	e.startTree(t, j, 1)
	o := e.options("args", "x")
	o.Stdout = w
	start(t, j, o)
	e.startTree(t, j, 1)
	w.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "\"x\"\n" {
		t.Errorf("output = %q, %v", got, err)
	}
}

func testNoProgram(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	const missing = `C:\no such directory\missing.exe`
	for what, o := range map[string]jobobject.ProcessOptions{
		"application":  {Application: missing, CommandLine: "missing"},
		"command line": {CommandLine: `"` + missing + `" secret`},
	} {
		p, err := j.Start(o)
		if err == nil {
			p.Close()
		}
		if !errors.Is(err, jobobject.ErrNotExist) {
			t.Errorf("by %s: %v, want ErrNotExist", what, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("by %s: error gives an argument away: %v", what, err)
		}
	}
	if a, err := j.Accounting(); err != nil || a.Active != 0 {
		t.Errorf("accounting = %+v, %v, want nothing active", a, err)
	}
}

func testNotStartable(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	dir := t.TempDir()
	notes := filepath.Join(dir, jobtest.NotExecutable)
	if err := os.WriteFile(notes, []byte("no program\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		want error
		set  func(*jobobject.ProcessOptions)
	}{
		{"working directory is missing", jobobject.ErrNotDirectory, func(o *jobobject.ProcessOptions) { o.Dir = jobtest.MissingDir }},
		{"file is text", jobobject.ErrNotExecutable, func(o *jobobject.ProcessOptions) { o.Application = notes }},
	} {
		o := e.options("exit", "0")
		tt.set(&o)
		p, err := j.Start(o)
		if err == nil {
			p.Close()
		}
		if !errors.Is(err, tt.want) || errors.Is(err, jobobject.ErrNotExist) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if a, err := j.Accounting(); err != nil || a.Active != 0 {
		t.Errorf("accounting = %+v, %v, want nothing active", a, err)
	}
}

func testBadOptions(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	for _, tt := range []struct {
		want string
		set  func(*jobobject.ProcessOptions)
	}{
		{"application has a NUL", func(o *jobobject.ProcessOptions) { o.Application += "\x00" }},
		{"command line has a NUL", func(o *jobobject.ProcessOptions) { o.CommandLine += "\x00secret" }},
		{"working directory has a NUL", func(o *jobobject.ProcessOptions) { o.Dir = "\x00" }},
		{"environment entry 0 has a NUL", func(o *jobobject.ProcessOptions) { o.Env = []string{"secret=\x00"} }},
		{"no application, command line or", func(o *jobobject.ProcessOptions) { o.Application, o.CommandLine = "", "" }},
		{"both a command line and", func(o *jobobject.ProcessOptions) { o.Args = []string{"secret"} }},
		{"that of another process are given", func(o *jobobject.ProcessOptions) {
			o.Console, o.ConsoleOf = new(jobobject.Console), new(jobobject.Process)
		}},
		{"argument 1 has a NUL", func(o *jobobject.ProcessOptions) {
			o.CommandLine, o.Args = "", []string{o.Application, "secret\x00"}
		}},
	} {
		o := e.options("exit", "0")
		tt.set(&o)
		p, err := j.Start(o)
		if err == nil {
			p.Close()
			t.Errorf("started, want %q", tt.want)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %q, want %q and no content", err, tt.want)
		}
	}
}

func testEvent(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	p := e.startListener(t, j)
	e.requires(t, p.Signal(jobobject.CtrlC), "console control events")
	if code := wait(t, p); code != 40+uint32(jobobject.CtrlC) {
		t.Errorf("exit code = %d, want %d", code, 40+uint32(jobobject.CtrlC))
	}
	if err := p.Signal(jobobject.CtrlC); !errors.Is(err, jobobject.ErrExited) {
		t.Errorf("signal after exit: %v, want ErrExited", err)
	}
}

func testUnhandledEvent(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	p := e.startTree(t, j, 1).first
	e.requires(t, p.Signal(jobobject.CtrlC), "console control events")
	if code := wait(t, p); code != jobtest.StatusControlCExit {
		t.Errorf("exit code = %#x, want %#x", code, jobtest.StatusControlCExit)
	}
}

func testTerminateProcess(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	p := e.startTree(t, j, 1).first
	if err := p.Terminate(9); err != nil {
		t.Fatal(err)
	}
	if code := wait(t, p); code != 9 {
		t.Errorf("exit code = %d, want 9", code)
	}
	if err := p.Terminate(10); err != nil {
		t.Errorf("terminate again: %v", err)
	}
	if code := wait(t, p); code != 9 {
		t.Errorf("exit code = %d after a second terminate, want 9", code)
	}
}

func testWaitEnds(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	p := e.startTree(t, j, 1).first
	stopped, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no more time")
	cancel(why)
	if _, err := p.Wait(stopped); !errors.Is(err, why) {
		t.Errorf("with a cancelled context: %v, want its cause", err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := p.Wait(t.Context()); !errors.Is(err, jobobject.ErrClosed) {
				t.Errorf("wait through close: %v, want ErrClosed", err)
			}
		})
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if err := p.Terminate(1); !errors.Is(err, jobobject.ErrClosed) {
		t.Errorf("terminate after close: %v, want ErrClosed", err)
	}
}
