package jobobject_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
)

func TestBind_ThenUnbind_MappingIsRemoved(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{Name: "silo", KillOnClose: true})
	if err := j.PromoteToSilo(); err != nil {
		t.Fatal(err)
	}
	one := jobobject.Mapping{Root: `C:\hpc`, Target: `\\?\Volume{1}\`}
	two := jobobject.Mapping{Root: `C:\data`, Target: `D:\data`, ReadOnly: true}
	for _, m := range []jobobject.Mapping{one, two} {
		if err := j.Bind(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Unbind(`c:\HPC`); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]jobobject.Mapping{two}, k.Mappings("silo")); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
}

// TestBind_NoSilo_FilterIsNotCalled: the filter also binds for the whole machine, so it must not
// even be asked about a job that is no silo.
func TestBind_NoSilo_FilterIsNotCalled(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{KillOnClose: true})
	if err := j.Bind(jobobject.Mapping{Root: `C:\a`, Target: `C:\b`}); !errors.Is(err, jobobject.ErrNotSilo) {
		t.Errorf("bind: %v, want ErrNotSilo", err)
	}
	if err := j.Unbind(`C:\a`); !errors.Is(err, jobobject.ErrNotSilo) {
		t.Errorf("unbind: %v, want ErrNotSilo", err)
	}
	if n := k.Calls("Bind") + k.Calls("Unbind"); n != 0 {
		t.Errorf("the filter was asked %d times", n)
	}
}

func TestPromoteToSilo_JobHasProcess_IsRefused(t *testing.T) {
	_, j := newKernel(t, jobobject.Options{KillOnClose: true})
	startLasting(t, j, 1)
	if err := j.PromoteToSilo(); err == nil {
		t.Error("a job with a process was promoted")
	}
}

func TestServerSilo_OfContainer_IsDescribed(t *testing.T) {
	const path = `\Container_1`
	k, j := newKernel(t, jobobject.Options{Name: path, KillOnClose: true})
	want := jobobject.ServerSilo{SessionID: 3, State: jobobject.SiloStarted}
	if !k.MakeServerSilo(path, want) || k.MakeServerSilo("another", want) {
		t.Fatal("the wrong job became a silo")
	}
	opened, err := jobobject.Open(path, jobobject.OpenOptions{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for what, x := range map[string]*jobobject.Job{"creator": j, "reader": opened} {
		if s, err := x.ServerSilo(); err != nil || s != want {
			t.Errorf("%s: server silo = %+v, %v, want %+v", what, s, err, want)
		}
		if s, err := x.Silo(); err != nil || !s.InServerSilo {
			t.Errorf("%s: silo = %+v, %v, want in a server silo", what, s, err)
		}
	}
}
