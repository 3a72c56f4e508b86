package jobobject_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

func testNameTaken(t *testing.T, e environment) {
	name := e.name(t)
	e.create(t, jobobject.Options{Name: name})
	j, err := jobobject.Create(jobobject.Options{Name: name, Kernel: e.kernel})
	if err == nil {
		j.Close()
	}
	if !errors.Is(err, jobobject.ErrExist) {
		t.Errorf("create again: %v, want ErrExist", err)
	}
	var typed *jobobject.Error
	if !errors.As(err, &typed) || typed.Op != "create job" || typed.Name != name {
		t.Errorf("error is %+v, want the operation and the name", typed)
	}
	// Win32 names differ by case.
	e.create(t, jobobject.Options{Name: strings.ToUpper(name)})
}

func testNameFree(t *testing.T, e environment) {
	name := e.name(t)
	j := e.create(t, jobobject.Options{Name: name})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := jobobject.Open(name, jobobject.OpenOptions{Kernel: e.kernel})
	if !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("open after close: %v, want ErrNotExist", err)
	}
	e.create(t, jobobject.Options{Name: name})
}

func testObjectPath(t *testing.T, e environment) {
	path := `\BaseNamedObjects\` + e.name(t)
	if _, err := jobobject.Open(path, jobobject.OpenOptions{Kernel: e.kernel}); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("open before create: %v, want ErrNotExist", err)
	}
	e.create(t, jobobject.Options{Name: path})
	// Object paths do not differ by case.
	for _, again := range []string{path, strings.ToUpper(path)} {
		j, err := jobobject.Create(jobobject.Options{Name: again, Kernel: e.kernel})
		if err == nil {
			j.Close()
		}
		if !errors.Is(err, jobobject.ErrExist) {
			t.Errorf("create %s again: %v, want ErrExist", again, err)
		}
	}
	opened, err := jobobject.Open(path, jobobject.OpenOptions{Kernel: e.kernel})
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

func testRights(t *testing.T, e environment) {
	name := e.name(t)
	j := e.create(t, jobobject.Options{Name: name, KillOnClose: true})
	tree := e.startTree(t, j, 1)
	reader, err := jobobject.Open(name, jobobject.OpenOptions{Kernel: e.kernel})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	e.wantMembers(t, reader, tree)
	if err := reader.Terminate(1); !errors.Is(err, jobobject.ErrPermission) {
		t.Errorf("terminate by a reader: %v, want ErrPermission", err)
	}
}

func testClosed(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{})
	messages := j.Messages()
	for range 2 {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if m, open := <-messages; open {
		t.Errorf("message %v after close", m)
	}
	if _, open := <-j.Messages(); open {
		t.Error("a late reader gets an open channel")
	}
	_, perr := j.Pids()
	_, aerr := j.Accounting()
	_, serr := j.Start(e.options("exit", "0"))
	for what, err := range map[string]error{
		"pids": perr, "accounting": aerr, "start": serr, "terminate": j.Terminate(0),
		"assign": j.Assign(1), "limits": j.SetLimits(t.Context(), jobobject.Limits{}), "wait": j.WaitEmpty(t.Context()),
	} {
		if !errors.Is(err, jobobject.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
}

func testTerminateJob(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	if err := j.Terminate(1); err != nil {
		t.Errorf("terminate an empty job: %v", err)
	}
	tree := e.startTree(t, j, 3)
	if err := j.Terminate(137); err != nil {
		t.Fatal(err)
	}
	if code := wait(t, tree.first); code != 137 {
		t.Errorf("exit code = %d, want 137", code)
	}
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pids, err := j.Pids(); err != nil || len(pids) != 0 {
		t.Errorf("pids = %v, %v, want none", pids, err)
	}
}

func testKillOnClose(t *testing.T, e environment) {
	watcher := e.create(t, jobobject.Options{KillOnClose: true})
	j := e.create(t, jobobject.Options{KillOnClose: true})
	p := e.startTree(t, j, 2).first
	// An empty job whose limits are set must keep its kill on close.
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, ActiveProcesses: 100}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	if err := watcher.WaitEmpty(t.Context()); err != nil {
		t.Error(err)
	}
}

func testSurvivesClose(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{})
	tree := e.startTree(t, j, 1)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	tree.stdin.Close()
	if code := wait(t, tree.first); code != 0 {
		t.Errorf("exit code = %d, want the 0 of an undisturbed end", code)
	}
}

func testWaitEmpty(t *testing.T, e environment) {
	name := e.name(t)
	j := e.create(t, jobobject.Options{Name: name, KillOnClose: true})
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Errorf("job without a process: %v", err)
	}
	tree := e.startTree(t, j, 2)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.WaitEmpty(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v, want context.Canceled", err)
	}
	opened, err := jobobject.Open(name, jobobject.OpenOptions{Kernel: e.kernel})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	var wg sync.WaitGroup
	for what, w := range map[string]*jobobject.Job{"creator": j, "reader": opened} {
		wg.Go(func() {
			if err := w.WaitEmpty(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	tree.stdin.Close()
	wg.Wait()
	if a, err := j.Accounting(); err != nil || a.Active != 0 {
		t.Errorf("accounting = %+v, %v, want nothing active", a, err)
	}
}

func testMessages(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	messages := j.Messages()
	p := start(t, j, e.options("exit", "3"))
	want := []jobobject.Message{
		{Kind: jobobject.NewProcess, Pid: p.Pid()},
		{Kind: jobobject.ExitProcess, Pid: p.Pid()},
		{Kind: jobobject.ActiveProcessZero},
	}
	for _, w := range want {
		got := <-messages
		for got.Pid != p.Pid() && got.Pid != 0 {
			got = <-messages // of a console host
		}
		if got != w {
			t.Errorf("message %v of %d, want %v of %d", got.Kind, got.Pid, w.Kind, w.Pid)
		}
	}
}

// testManyAtOnce is about handles, keys and waits that must not be mixed up.
func testManyAtOnce(t *testing.T, e environment) {
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for range 8 {
				e.oneLife(t, uint32(worker))
			}
		})
	}
	wg.Wait()
}

func (e environment) oneLife(t *testing.T, code uint32) {
	j, err := jobobject.Create(jobobject.Options{Kernel: e.kernel, KillOnClose: true})
	if err != nil {
		t.Error(err)
		return
	}
	defer j.Close()
	p, err := j.Start(e.options("exit", string('0'+rune(code))))
	if err != nil {
		t.Error(err)
		return
	}
	defer p.Close()
	if got, err := p.Wait(t.Context()); err != nil || got != code {
		t.Errorf("exit code = %d, %v, want %d", got, err, code)
	}
	if err := j.WaitEmpty(t.Context()); err != nil {
		t.Error(err)
	}
}
