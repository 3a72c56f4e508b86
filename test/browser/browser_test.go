package browser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// hung bounds each test: a browser that does not answer must not hold up the others.
const hung = 2 * time.Minute

// built is a directory for programs, which all tests share.
var built string

// chrome is the browser, in which each test opens a page; nil if it is not installed.
var chrome context.Context

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "silo-browser")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) // it is temporary
	built = dir
	if program := chromium(); program != "" {
		options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program), chromedp.UserDataDir(filepath.Join(dir, "profile")),
			chromedp.Flag("host-resolver-rules", "MAP evil.example.com 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("disable-background-networking", true))
		if os.Geteuid() == 0 {
			options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root otherwise
		}
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		defer stop()
		var end context.CancelFunc
		chrome, end = chromedp.NewContext(allocator)
		defer end()
		if err := chromedp.Do(chrome); err != nil {
			fmt.Fprintln(os.Stderr, "start chromium:", err)
			return 1
		}
	}
	return m.Run()
}

func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// step is an action without a value.
type step = chromedp.Action[chromedp.Void]

// page is a page of the browser.
type page struct {
	context.Context
	t *testing.T

	mu       sync.Mutex // guards the fields below
	problems []string   // errors on the console
	requests []string   // addresses
}

// open opens an address in a new page of 1280 x 900.
func open(t *testing.T, address string, before ...step) *page {
	t.Helper()
	if chrome == nil {
		t.Skip("chromium is missing; make browser installs it")
	}
	tab, closeTab := chromedp.NewContext(chrome)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(tab, hung)
	t.Cleanup(cancel)
	p := &page{Context: ctx, t: t}
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, p.note); err != nil {
		t.Fatal(err)
	}
	p.run(append([]step{chromedp.EmulateViewport(1280, 900)}, before...)...)
	p.run(chromedp.Navigate(address))
	return p
}

func (p *page) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.problems = append(p.problems, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		p.problems = append(p.problems, e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	}
}

// said is what the console has shown, and the addresses that were requested.
func (p *page) said() (problems, requests []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems), slices.Clone(p.requests)
}

func (p *page) run(steps ...step) {
	p.t.Helper()
	if err := chromedp.Do(p, steps...); err != nil {
		p.t.Fatalf("%v", err)
	}
}

// eval evaluates an expression in the page; a promise is awaited.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// do runs statements in the page.
func (p *page) do(statements string) {
	p.t.Helper()
	p.run(chromedp.Evaluate[chromedp.Void](statements))
}

// until waits until an expression is true in the page, which may load another one meanwhile.
func (p *page) until(expression string) {
	p.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := chromedp.Run(p, chromedp.Evaluate[bool](expression))
		if v {
			return
		}
		select {
		case <-tick.C:
		case <-p.Done():
			p.t.Fatalf("until %s: %v", expression, err)
		}
	}
}

// live waits until the page gets updates.
func (p *page) live() { p.t.Helper(); p.until(`document.documentElement.dataset.link === 'live'`) }

// keys types keys, one after the other. A character comes in one event with its key, as that of a keyboard; the two events
// of [chromedp.KeyEvent] write it although the page has handled the key.
func (p *page) keys(keys ...string) {
	p.t.Helper()
	for _, k := range keys {
		if k < " " || k > "~" {
			p.run(chromedp.KeyEvent(k))
			continue
		}
		p.run(func(ctx context.Context, t *chromedp.Target) (v chromedp.Void, err error) {
			for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
				e := input.DispatchKeyEventParams{Type: kind, Key: k}
				if kind == input.DispatchKeyEventTypeKeyDown {
					e.Text = k
				}
				if _, err = cdp.Call(ctx, t, input.DispatchKeyEvent, e); err != nil {
					break
				}
			}
			return v, err
		})
	}
}

// scheme makes the system light or dark.
func scheme(name string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return chromedp.Void{}, err
	}
}

// server is a program that serves the dashboard.
type server struct {
	t       *testing.T
	address string
	in      io.WriteCloser
	out     *bufio.Reader
}

var simulated = sync.OnceValues(func() (string, error) {
	path := filepath.Join(built, "dashboard")
	out, err := exec.Command("go", "build", "-C", "../..", "-tags", "no_grpc", "-o", path, "./test/dashboard").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build test/dashboard: %w\n%s", err, out)
	}
	return path, nil
})

// simulate serves the dashboard over a simulated machine.
func simulate(t *testing.T, args ...string) *server {
	t.Helper()
	if chrome == nil {
		t.Skip("chromium is missing; make browser installs it")
	}
	program, err := simulated()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() { s.end(); _ = cmd.Wait() })
	s.address = s.line()
	return s
}

// end ends the program, which reads its standard input.
func (s *server) end() { s.in.Close() }

func (s *server) line() string {
	s.t.Helper()
	line, err := s.out.ReadString('\n')
	if err != nil {
		s.t.Fatalf("test/dashboard: %v", err)
	}
	return strings.TrimSpace(line)
}

// do sends a command to the simulated machine.
func (s *server) do(format string, args ...any) {
	s.t.Helper()
	if _, err := fmt.Fprintf(s.in, format+"\n", args...); err != nil {
		s.t.Fatal(err)
	}
	if answer := s.line(); answer != "done" {
		s.t.Fatalf("%s: %s", fmt.Sprintf(format, args...), answer)
	}
}
