package node

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// bell is a notifier that the test rings.
type bell struct {
	rung   chan struct{}
	broken error
	closed bool
}

func newBell() *bell { return &bell{rung: make(chan struct{})} }

func (b *bell) changed() <-chan struct{} { return b.rung }

func (b *bell) again() error {
	b.rung = make(chan struct{})
	return b.broken
}

func (b *bell) close() { b.closed = true }

// watched is a watch of a machine with one container of silo, which runs.
type watched struct {
	*Watch
	*testing.T
	kernel *jobtest.Kernel
	silo   *jobtest.Proc // its supervisor
	jobs   []string
	bells  []*bell // of the directory, each after the one before has failed
}

func newWatched(t *testing.T) *watched {
	k := jobtest.New()
	silo, err := k.Place("", "silo.exe", jobtest.Self)
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{T: t, kernel: k, silo: silo, jobs: []string{`\BaseNamedObjects\silo/silo/web`}}
	n := Node{Names: func() ([]string, error) { return w.jobs, nil }, Records: Records{Dir: t.TempDir(), Kernel: k}}
	w.Watch = n.Watch()
	w.notify = func(string) (notifier, error) {
		b := newBell()
		w.bells = append(w.bells, b)
		return b, nil
	}
	w.write(&Record{ID: "web", Kind: Run, Supervisor: silo.Pid(), Status: Running})
	return w
}

func (w *watched) write(r *Record) {
	w.Helper()
	if err := w.node.Records.Write(r); err != nil {
		w.Fatal(err)
	}
}

// expect lists the containers and compares their states.
func (w *watched) expect(when string, want ...Status) {
	w.Helper()
	list, err := w.All()
	var got []Status
	for _, c := range list {
		got = append(got, c.Status)
	}
	if err != nil || len(got) != len(want) {
		w.Fatalf("%s: %v %v, want %v", when, err, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			w.Errorf("%s: %v, want %v", when, got, want)
		}
	}
}

func TestWatch_Change_RecordsAreReadAgain(t *testing.T) {
	w := newWatched(t)
	w.expect("first", Running)
	w.write(&Record{ID: "db", Kind: Run, Supervisor: w.silo.Pid(), Status: Starting})
	w.expect("no change was reported", Running)
	close(w.bells[0].rung)
	w.expect("after the report", Starting, Running)
	w.jobs = append(w.jobs, `\BaseNamedObjects\silo/k8s.io/pod`)
	w.expect("a new job needs no report", Running, Starting, Running)
	if len(w.bells) != 1 {
		t.Errorf("the directory is watched %d times", len(w.bells))
	}
	w.Close()
	if !w.bells[0].closed || w.Changed() != nil {
		t.Error("the watch goes on")
	}
}

// A supervisor that is killed changes no record.
func TestWatch_SupervisorKilled_ContainerIsLost(t *testing.T) {
	w := newWatched(t)
	w.expect("first", Running)
	w.silo.Exit(1)
	w.jobs = nil // kill-on-close
	w.expect("killed", Lost)
}

func TestWatch_Unreadable_IsReadEachTime(t *testing.T) {
	w := newWatched(t)
	path := filepath.Join(w.node.Records.Path("web"), recordFile)
	good, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(path, []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	w.jobs = nil
	w.expect("unreadable", Unknown)
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	w.expect("readable", Running)
}

// The directory may be missing, or be deleted during the watch.
func TestWatch_DirectoryCannotBeWatched_RecordsAreReadEachTime(t *testing.T) {
	w := newWatched(t)
	works := w.notify
	w.notify = func(string) (notifier, error) { return nil, os.ErrNotExist }
	w.expect("first", Running)
	w.write(&Record{ID: "db", Kind: Run, Supervisor: w.silo.Pid(), Status: Starting})
	w.expect("not watched", Starting, Running)
	w.notify = works
	w.expect("watched", Starting, Running)
	w.bells[0].broken = os.ErrNotExist
	close(w.bells[0].rung)
	w.expect("the watch has failed", Starting, Running)
	w.write(&Record{ID: "new", Kind: Run, Supervisor: w.silo.Pid(), Status: Starting})
	w.expect("watched anew", Starting, Starting, Running)
	if len(w.bells) != 2 || !w.bells[0].closed || w.bells[1].closed {
		t.Errorf("%d watches", len(w.bells))
	}
}
