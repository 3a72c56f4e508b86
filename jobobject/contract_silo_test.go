package jobobject_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

// open opens a job until the end of the test.
func (e environment) open(t *testing.T, name string, access jobobject.Access) *jobobject.Job {
	t.Helper()
	j, err := jobobject.Open(name, jobobject.OpenOptions{Access: access, Kernel: e.kernel})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// testFreeze cannot prove that nothing ran, which would be to wait for what does
// not come; that is for the tests of the simulated kernel, by its clock.
func testFreeze(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	e.requires(t, j.Freeze(), "freeze")
	if err := j.Thaw(); err != nil {
		t.Fatal(err)
	}
	first := e.startTree(t, j, 1)
	if err := j.Freeze(); err != nil {
		t.Fatal(err)
	}
	first.stdin.Close()
	if err := j.Thaw(); err != nil {
		t.Fatal(err)
	}
	if code := wait(t, first.first); code != 0 {
		t.Errorf("exit code after a thaw = %d, want 0", code)
	}
	second := e.startTree(t, j, 1)
	if err := j.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := j.Terminate(9); err != nil {
		t.Fatal(err)
	}
	if code := wait(t, second.first); code != 9 {
		t.Errorf("exit code of a frozen process = %d, want 9", code)
	}
}

// silo makes a job and promotes it.
func (e environment) silo(t *testing.T, name string) *jobobject.Job {
	t.Helper()
	j := e.create(t, jobobject.Options{Name: name, KillOnClose: true})
	e.requires(t, j.PromoteToSilo(), "silos")
	return j
}

func testSilo(t *testing.T, e environment) {
	j := e.silo(t, "")
	s, err := j.Silo()
	if err != nil || s.ID == 0 || s.InServerSilo || s.Processes != 0 {
		t.Errorf("silo = %+v, %v, want an empty one with an id", s, err)
	}
	if _, err := j.ServerSilo(); !errors.Is(err, jobobject.ErrNotSilo) {
		t.Errorf("server silo: %v, want ErrNotSilo", err)
	}
	if err := j.PromoteToSilo(); err == nil {
		t.Error("promoted twice")
	}
	tree := e.startTree(t, j, 1)
	e.wantMembers(t, j, tree)
}

// testNoSilo: nothing about silos works on a job that is none, with or without
// silos in the kernel.
func testNoSilo(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{})
	if err := j.PromoteToSilo(); err == nil {
		t.Error("a job without kill on close was promoted")
	}
	_, serr := j.Silo()
	_, verr := j.ServerSilo()
	m := jobobject.Mapping{Root: filepath.Join(t.TempDir(), "root"), Target: t.TempDir()}
	for what, err := range map[string]error{
		"silo": serr, "server silo": verr, "bind": j.Bind(m), "unbind": j.Unbind(m.Root),
	} {
		if !errors.Is(err, jobobject.ErrNotSilo) && !errors.Is(err, jobobject.ErrNotSupported) {
			t.Errorf("%s: %v, want ErrNotSilo or ErrNotSupported", what, err)
		}
	}
}

func testMapping(t *testing.T, e environment) {
	j := e.silo(t, "")
	m := jobobject.Mapping{Root: filepath.Join(t.TempDir(), "root"), Target: t.TempDir(), ReadOnly: true}
	e.requires(t, j.Bind(m), "the bind filter")
	if err := j.Unbind(m.Root); err != nil {
		t.Error(err)
	}
	if err := j.Unbind(m.Root); err == nil {
		t.Error("unbound twice")
	}
	for what, bad := range map[string]jobobject.Mapping{
		"no root": {Target: m.Target}, "no target": {Root: m.Root}, "NUL": {Root: "a\x00b", Target: m.Target},
	} {
		if err := j.Bind(bad); err == nil {
			t.Errorf("%s: bound", what)
		}
	}
}

// testReader has the right to query, which suffices for every query and for nothing
// else.
func testReader(t *testing.T, e environment) {
	name := e.name(t)
	e.create(t, jobobject.Options{Name: name, KillOnClose: true, TrackIO: true})
	j := e.open(t, name, jobobject.AccessQuery)
	_, aerr := j.Accounting()
	_, perr := j.Pids()
	_, lerr := j.QueryLimits(t.Context())
	_, merr := j.Memory()
	_, ierr := j.Storage()
	_, nerr := j.NotificationLimits()
	_, verr := j.Violation()
	_, serr := j.Silo()
	for what, err := range map[string]error{
		"accounting": aerr, "pids": perr, "limits": lerr, "memory": merr, "storage": ierr,
		"notification limits": nerr, "violation": verr, "silo": serr,
	} {
		if err != nil && !errors.Is(err, jobobject.ErrNotSupported) && !errors.Is(err, jobobject.ErrNotSilo) {
			t.Errorf("%s by a reader: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"limits": j.SetLimits(t.Context(), jobobject.Limits{ActiveProcesses: 9}), "terminate": j.Terminate(1),
		"freeze": j.Freeze(), "silo": j.PromoteToSilo(), "notification limits": j.SetNotificationLimits(jobobject.NotificationLimits{}),
	} {
		if !errors.Is(err, jobobject.ErrPermission) && !errors.Is(err, jobobject.ErrNotSupported) {
			t.Errorf("set %s by a reader: %v, want ErrPermission", what, err)
		}
	}
}

// testExitWhileOpen: a process with an open handle keeps its pid and its
// exit code when it has ended.
func testExitWhileOpen(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	p := start(t, j, e.options("exit", "6"))
	wait(t, p)
	h, err := e.kernel.OpenProcess(p.Pid(), jobobject.ProcessQueryLimited)
	if err != nil {
		t.Fatal(err)
	}
	code, exited, err := e.kernel.ExitCode(h)
	if err != nil || !exited || code != 6 {
		t.Errorf("exit code = %d, %v, %v, want 6 of an ended process", code, exited, err)
	}
	// It is no member any more, for all that it is open.
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Error(err)
	}
	if err := e.kernel.CloseHandle(h); err != nil {
		t.Error(err)
	}
}
