package command_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/command"
	"github.com/siloshim/siloshim/cmd/silo/dashboard"
	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// containers makes 30 containers under load on a simulated machine, which are listed.
func containers(t *testing.T, w *world) map[string]*jobtest.Proc {
	t.Helper()
	procs := map[string]*jobtest.Proc{}
	var paths []string
	for i := range 30 {
		id := fmt.Sprintf("k8s.io/c%02d", i)
		_, p := w.container(t, id)
		for range i % 4 {
			if _, err := w.Place(`Global\silo/`+id, "child.exe", p.Pid()); err != nil {
				t.Fatal(err)
			}
		}
		p.Busy(float64(i)/100, 0)
		p.Commit(uint64(i+1) << 20)
		procs[id] = p
		paths = append(paths, `\BaseNamedObjects\silo/`+id)
	}
	w.app.Node.Names = func() ([]string, error) { return paths, nil }
	return procs
}

// page is what the dashboard answers to a request for a path.
func page(t *testing.T, d *dashboard.Dashboard, path string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestDashboard_30Containers_ShowsWhatTheKernelReports(t *testing.T) {
	w := newWorld(t)
	procs := containers(t, w)
	handles := w.OpenHandles()
	source, release := w.app.DashboardSource()
	d := dashboard.New(source, dashboard.Options{})
	for range 3 {
		d.Sample(t.Context())
		w.Advance(2 * time.Second)
	}
	d.Sample(t.Context())
	all := page(t, d, "/")
	for _, want := range []string{"30 containers", "73 processes", `aria-label="Processor: now 4.35`, "/container/k8s.io/c29", "of 8 processors"} {
		if !strings.Contains(all, want) {
			t.Errorf("the page of the machine has no %q", want)
		}
	}
	one := page(t, d, "/container/k8s.io/c07")
	for _, want := range []string{`<span class="value">0.07</span>`, fmt.Sprint("<td>", procs["k8s.io/c07"].Pid(), "</td>"), "└ </span><bdi>child.exe", "kill-on-close"} {
		if !strings.Contains(one, want) {
			t.Errorf("the page of the container has no %q", want)
		}
	}
	release()
	if n := w.OpenHandles(); n != handles {
		t.Errorf("%d handles left open, want %d", n, handles)
	}
}

func TestDashboard_OneContainerRefused_OthersAreShown(t *testing.T) {
	w := newWorld(t)
	containers(t, w)
	source, release := w.app.DashboardSource()
	defer release()
	d := dashboard.New(source, dashboard.Options{})
	d.Sample(t.Context())
	w.FailNth("OpenJob", 31, jobobject.ErrPermission) // the first 30 are of the list of processes
	d.Sample(t.Context())
	all := page(t, d, "/")
	if n := strings.Count(all, "cannot be sampled</td>"); n != 1 {
		t.Errorf("%d containers are shown as not sampled, want 1", n)
	}
	if n := strings.Count(all, "/container/k8s.io/"); n < 30 {
		t.Errorf("%d containers are shown, want 30", n)
	}
}

func TestDashboard_KernelRefusesTheList_SaysWhy(t *testing.T) {
	w := newWorld(t)
	w.app.Node.Names = func() ([]string, error) { return nil, jobobject.ErrPermission }
	source, release := w.app.DashboardSource()
	defer release()
	d := dashboard.New(source, dashboard.Options{})
	d.Sample(t.Context())
	if text := page(t, d, "/"); !strings.Contains(text, jobobject.ErrPermission.Error()) || !strings.Contains(text, "administrator") {
		t.Errorf("%s", text)
	}
}

func TestDashboard_ContainerOfSiloRun_ShowsLogAndExit(t *testing.T) {
	w := newWorld(t)
	w.container(t, "silo/mine")
	path := filepath.Join(w.dir, "out.log")
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 2*dashboard.LogTail)+"\nthe end\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := record("mine", path)
	if err := w.app.Node.Records.Write(r); err != nil {
		t.Fatal(err)
	}
	source, release := w.app.DashboardSource()
	defer release()
	d := dashboard.New(source, dashboard.Options{})
	d.Sample(t.Context())
	if text := page(t, d, "/container/silo/mine"); !strings.Contains(text, "the end\n</pre>") || len(text) > dashboard.LogTail {
		t.Errorf("the log is not the end of the file: %d bytes", len(text))
	}
	r.Exit = &node.Exit{Code: 0xC0000005, Reason: "exited", At: w.Now()}
	if err := w.app.Node.Records.Write(r); err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Second)
	d.Sample(t.Context())
	for _, path := range []string{"/", "/container/silo/mine"} {
		if text := page(t, d, path); !strings.Contains(text, "exited with code 0xC0000005: access violation") {
			t.Errorf("%s does not show the exit: %s", path, text)
		}
	}
}

// BenchmarkDashboard_100Containers is one look at 100 containers with 10 processes each, with the calls of the simulated
// kernel.
func BenchmarkDashboard_100Containers(b *testing.B) {
	w := &world{Kernel: jobtest.New(), dir: b.TempDir()}
	var paths []string
	for i := range 100 {
		id := fmt.Sprintf("k8s.io/c%02d", i)
		job, err := jobobject.Create(jobobject.Options{Name: `Global\silo/` + id, TrackIO: true, Kernel: w.Kernel})
		if err != nil {
			b.Fatal(err)
		}
		defer job.Close() // with the kernel
		for range 10 {
			if _, err := w.Place(`Global\silo/`+id, "app.exe", jobtest.Self); err != nil {
				b.Fatal(err)
			}
		}
		paths = append(paths, `\BaseNamedObjects\silo/`+id)
	}
	app := &command.App{Kernel: w.Kernel, Machine: limit.Machine{Groups: []int{8}}, Now: w.Now, Node: node.Node{
		Names: func() ([]string, error) { return paths, nil }, Records: node.Records{Dir: w.dir},
	}}
	source, release := app.DashboardSource()
	defer release()
	d := dashboard.New(source, dashboard.Options{})
	d.Sample(b.Context())
	w.ResetCalls()
	b.ReportAllocs()
	for b.Loop() {
		w.Advance(dashboard.Interval)
		d.Sample(b.Context())
	}
	calls := 0
	for _, n := range w.AllCalls() {
		calls += n
	}
	b.ReportMetric(float64(calls)/float64(b.N), "calls/op")
}
