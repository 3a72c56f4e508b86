package command_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/hcs/hcstest"
)

// slowly is a containerd that takes its time to start.
type slowly struct {
	*daemon
	start time.Duration
}

func (d *slowly) Start(name string) error {
	time.Sleep(d.start) // on the clock of the test's bubble
	return d.daemon.Start(name)
}

func TestProgress_InstallTakesLong_ShownAndRemoved(t *testing.T) {
	newWorld(t).silo(t, "version") // package os/signal starts a goroutine for all time, which must not be the bubble's
	for _, test := range []struct {
		name     string
		takes    time.Duration
		terminal bool
		want     string
	}{
		{"within a second", 900 * time.Millisecond, true, ""},
		{"longer", 2500 * time.Millisecond, true, "\rsilo: change the runtime of containerd ... 1s\rsilo: change the runtime of containerd ... 2s\r" + strings.Repeat(" ", 45) + "\r"},
		{"not a terminal", 2500 * time.Millisecond, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, d, prefix := newNode(t)
				d.runs = true
				w.app.Containerd = &slowly{d, test.takes}
				if test.terminal {
					w.onTerminal(80, 25)
				}
				if code := w.silo(t, "install", "--edit", "--restart", "--prefix", prefix); code != 0 || d.restarts != 1 {
					t.Fatalf("%d %s", code, &w.Stderr)
				}
				if got := w.Stderr.String(); got != test.want {
					t.Errorf("stderr %q, want %q", got, test.want)
				}
			})
		})
	}
}

// The line of a slow mount is gone before the program prints.
func TestProgress_ServerContainer_LineIsGoneBeforeTheProgram(t *testing.T) {
	newWorld(t).silo(t, "version")
	synctest.Test(t, func(t *testing.T) {
		s := newSpawned(t)
		s.onTerminal(60, 25)
		s.service.Fault("CreateSystem", hcstest.Fault{Delay: 3 * time.Second})
		s.service.Program("hello.exe", func(p *hcstest.Proc) uint32 { fmt.Fprintln(p.Stderr, "hello"); return 0 })
		if code := s.silo(t, "nspawn", "-c", s.config); code != 0 {
			t.Fatalf("%d %s", code, &s.Stderr)
		}
		before, _, _ := strings.Cut(s.Stderr.String(), "hello")
		if !strings.Contains(before, "... 2s\r") || !strings.HasSuffix(before, " \r") {
			t.Errorf("stderr %q, want the progress and its end before hello", &s.Stderr)
		}
	})
}
