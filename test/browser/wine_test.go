package browser

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wine runs silo.exe with a separate state directory.
type wine struct {
	t         *testing.T
	tool, exe string
	state     string
}

const payload = `C:\silo\bin\payload.exe`

func newWine(t *testing.T) *wine {
	t.Helper()
	if chrome == nil {
		t.Skip("chromium is missing; make browser installs it")
	}
	if testing.Short() {
		t.Skip("it takes Wine")
	}
	tool, err := filepath.Abs("../../.bed/bin/wine")
	if err == nil {
		_, err = os.Stat(tool)
	}
	if err != nil {
		t.Skip("the Wine environment is missing; make bed sets it up")
	}
	w := &wine{t: t, tool: tool, exe: filepath.Join(built, "silo.exe"), state: t.TempDir()}
	build := exec.Command("go", "build", "-C", "../..", "-tags", "no_grpc", "-o", w.exe, "./cmd/silo")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build silo.exe: %v\n%s", err, out)
	}
	return w
}

func (w *wine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.tool, append([]string{"run", w.exe}, args...)...)
	cmd.Env = append(os.Environ(), `SILO_STATE=Z:`+strings.ReplaceAll(w.state, "/", `\`))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends silo.exe then
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// detach starts a container, which ends with the test.
func (w *wine) detach(name string, args ...string) {
	w.t.Helper()
	w.t.Cleanup(func() {
		for _, verb := range []string{"kill", "wait"} {
			_ = w.command(context.Background(), verb, name).Run() // a test may have ended it
		}
	})
	w.silo(append([]string{"run", "--detach", "--name", name}, args...)...)
}

func (w *wine) silo(args ...string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), hung)
	defer cancel()
	// A file, because a detached program keeps a pipe open.
	out, err := os.CreateTemp(w.t.TempDir(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	defer out.Close()
	cmd := w.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		w.t.Fatalf("silo %s: %v\n%s", strings.Join(args, " "), err, text)
	}
}

// dashboard starts silo dashboard and returns its address.
func (w *wine) dashboard() string {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := w.command(ctx, "dashboard", "--listen", "127.0.0.1:0")
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	line, err := bufio.NewReader(said).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "silo: dashboard on ")
	if err != nil || !ok {
		w.t.Fatalf("silo dashboard: %q, %v", line, err)
	}
	return address
}

// TestWine_RealContainers_AreShownLive has no limits: Wine enforces none. The tests with the simulated kernel have them.
func TestWine_RealContainers_AreShownLive(t *testing.T) {
	w := newWine(t)
	w.detach("family", "--", payload, "tree", "2", "600")
	w.detach("memory", "--", payload, "alloc", "40", "600")
	w.detach("worker", "--", payload, "burn", "600000")
	address := w.dashboard()

	all := open(t, address)
	all.until(`document.querySelectorAll('#rows tr:not(.over)').length === 3`)
	all.live()
	all.until(`/^running/.test(document.querySelector('#rows td.status').textContent)`)
	row := func(name string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('#rows tr')].find(r => r.querySelector('a').textContent === '%s')`, name)
	}
	all.until(`parseFloat(` + row("worker") + `.querySelector('.cpu .number').textContent) > 0.05`)
	all.until(`(v => v > 40 && v < 200)(parseFloat(` + row("memory") + `.querySelector('.commit .number').textContent))`)

	one := open(t, address+"container/silo/family")
	one.until(`[...document.querySelectorAll('#tree tbody tr')].filter(r => r.querySelector('bdi').textContent === 'payload.exe').map(r => r.dataset.level).join() === '1,2,3'`)
	one.until(`/^2 \d+\n1 \d+\n0 \d+\n$/.test(document.querySelector('#log pre')?.textContent)`) // what the tree prints

	w.silo("kill", "family")
	one.until(`/^exited with code 137/.test(document.querySelector('#about .status').textContent)`)
	all.until(`/silo\/family exited with code 137/.test(document.querySelector('#events').textContent)`)
	all.until(`document.querySelectorAll('#rows tr.over').length === 1`)
	for name, p := range map[string]*page{"the machine": all, "the container": one} {
		if problems, _ := p.said(); len(problems) > 0 {
			t.Errorf("the console of %s shows %q", name, problems)
		}
	}
}
