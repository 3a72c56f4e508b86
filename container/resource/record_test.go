package resource_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/test/sparse"
)

// machine records which resources are released, and refuses some kinds.
type machine struct {
	released []string
	refuse   map[resource.Kind]error
}

func (m *machine) table() resource.Table {
	step := func(kind resource.Kind, after ...resource.Kind) resource.Step {
		return resource.Step{Kind: kind, After: after, Release: func(_ context.Context, r resource.Resource) error {
			if err := m.refuse[kind]; err != nil {
				return err
			}
			m.released = append(m.released, r.String())
			return nil
		}}
	}
	return resource.Table{
		step(resource.System), step(resource.Credentials), step(resource.Endpoint), step(resource.Namespace),
		step(resource.Mount), step(resource.Directory), step(resource.PreparedLayer, resource.System),
		step(resource.ActiveLayer, resource.System, resource.PreparedLayer), {Kind: resource.Logon}, step(resource.Account),
	}
}

// all is in the order in which a container makes it.
var all = []resource.Resource{
	{Kind: resource.Account, Name: "a"}, {Kind: resource.ActiveLayer, Path: `C:\s`}, {Kind: resource.PreparedLayer, Path: `C:\s`},
	{Kind: resource.Directory, Path: `C:\d`}, {Kind: resource.Mount, Path: `C:\d\m`}, {Kind: resource.Directory, Path: `C:\d\e`},
	{Kind: resource.Namespace, Name: "n"}, {Kind: resource.Endpoint, Name: "e", In: "n"}, {Kind: resource.System, Name: "c"},
}

var backwards = []string{
	"compute-system c", "network-endpoint e of n", "network-namespace n", `mount C:\d\m`, `directory C:\d\e`, `directory C:\d`,
	`prepared-layer C:\s`, `active-layer C:\s`, "account a",
}

func exists(t *testing.T, dir string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(dir, resource.File))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestRecord_Close_ReleasesBegunResources(t *testing.T) {
	dir, m := t.TempDir(), new(machine)
	r := resource.New(dir, m.table())
	if err := r.Reserve(all...); err != nil {
		t.Fatal(err)
	}
	for _, x := range all[:4] {
		r.Begin(x)
	}
	if err := errors.Join(r.Close(t.Context()), r.Close(t.Context())); err != nil {
		t.Error(err)
	}
	want := []string{`directory C:\d`, `prepared-layer C:\s`, `active-layer C:\s`, "account a"}
	if diff := cmp.Diff(want, m.released); diff != "" {
		t.Error(diff)
	}
	if exists(t, dir) {
		t.Error("the file is left")
	}
	if err := r.Reserve(all[0]); !errors.Is(err, resource.ErrClosed) {
		t.Errorf("reserve after the end: %v", err)
	}
	if err := r.Add(all[0], nil); !errors.Is(err, resource.ErrClosed) {
		t.Errorf("add after the end: %v", err)
	}
}

// The bundle may have the file of a process that died. Its resources are not those of this record.
func TestRecord_CloseWithoutReserve_DoesNotTouchTheBundle(t *testing.T) {
	dir, m := t.TempDir(), new(machine)
	if err := resource.New(dir, m.table()).Reserve(all...); err != nil {
		t.Fatal(err)
	}
	if err := resource.New(dir, m.table()).Close(t.Context()); err != nil {
		t.Error(err)
	}
	if !exists(t, dir) {
		t.Error("the file of another record was removed")
	}
}

func TestReplay_ProcessDied_ReleasesAllOfTheFile(t *testing.T) {
	dir, m := t.TempDir(), new(machine)
	r := resource.New(dir, m.table())
	if err := errors.Join(r.Reserve(all[:3]...), r.Reserve(all[3:]...)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := resource.Replay(t.Context(), dir, "c", m.table()); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(backwards, m.released); diff != "" {
		t.Error(diff)
	}
	if exists(t, dir) {
		t.Error("the file is left")
	}
}

func TestReplay_LegacyFile_IsRead(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"job container": {
			`{"layers":{"Kind":"windows-layer","Scratch":"C:\\s"},"job":true,"mount":"C:\\d\\m","kept":["C:\\d","C:\\d\\e"],"account":"a"}`,
			[]string{`mount C:\d\m`, `directory C:\d\e`, `directory C:\d`, `prepared-layer C:\s`, `active-layer C:\s`, "account a"},
		},
		"Windows Server container": {
			`{"layers":{"Kind":"windows-layer","Scratch":"C:\\s"},"network_namespace":"n","endpoints":["e"],"credentials":true}`,
			[]string{"compute-system c", "credentials c", "network-endpoint e of n", "network-namespace n", `prepared-layer C:\s`, `active-layer C:\s`},
		},
		"mounted by another": {
			`{"layers":{"Kind":"windows-layer","Scratch":"C:\\s","Volume":"V"},"job":true}`, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, m := t.TempDir(), new(machine)
			if err := os.WriteFile(filepath.Join(dir, resource.File), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := resource.Replay(t.Context(), dir, "c", m.table()); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, m.released); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReplay_UnknownFile_FailsAndKeepsIt(t *testing.T) {
	for text, want := range map[string]string{
		`{"layers":`:    "read the resource record",
		`{"version":3}`: "version 3 is unknown",
		`{"version":2,"resources":[{"kind":"moon"}]}`:  "release moon: kind is unknown",
		`{"version":2,"resources":[{"kind":"logon"}]}`: "release logon: kind is unknown",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, resource.File), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := resource.Replay(t.Context(), dir, "c", new(machine).table()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if !exists(t, dir) {
			t.Errorf("%s: it was removed", text)
		}
	}
}

// A container that runs may still write to its layers.
func TestRecord_SystemNotReleased_LayersStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		dir, m := t.TempDir(), &machine{refuse: map[resource.Kind]error{resource.System: boom}}
		r := resource.New(dir, m.table())
		if err := r.Reserve(all...); err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			r.Begin(x)
		}
		if err := r.Close(t.Context()); !errors.Is(err, boom) || !exists(t, dir) {
			t.Errorf("close: %v; the file is there: %v", err, exists(t, dir))
		}
		for _, left := range []string{`prepared-layer C:\s`, `active-layer C:\s`} {
			if slices.Contains(m.released, left) {
				t.Errorf("%s was released", left)
			}
		}
		m.refuse = nil
		if err := r.Close(t.Context()); err != nil || exists(t, dir) {
			t.Errorf("close again: %v; the file is there: %v", err, exists(t, dir))
		}
		if len(m.released) != len(all) {
			t.Errorf("released %q", m.released)
		}
	})
}

// One that uses another stays, and so does the other.
func TestRecord_PreparedLayerNotReleased_DiskStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		m := &machine{refuse: map[resource.Kind]error{resource.PreparedLayer: boom}}
		r := resource.New(t.TempDir(), m.table())
		for _, x := range all {
			r.Begin(x)
		}
		if err := r.Close(t.Context()); !errors.Is(err, boom) || !strings.Contains(err.Error(), `active-layer C:\s: it is in use by a prepared-layer`) {
			t.Errorf("close: %v", err)
		}
		m.refuse = nil
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(m.released); n != len(all) || !slices.Equal(m.released[n-2:], []string{`prepared-layer C:\s`, `active-layer C:\s`}) {
			t.Errorf("released %q", m.released)
		}
	})
}

func TestRecord_BeginWhileClosing_IsReleased(t *testing.T) {
	m := new(machine)
	r := resource.New(t.TempDir(), m.table())
	late := func(context.Context) error {
		r.Begin(resource.Resource{Kind: resource.Account, Name: "late"})
		return nil
	}
	if err := errors.Join(r.Add(resource.Resource{Kind: resource.Logon}, late), r.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"account late"}, m.released); diff != "" {
		t.Error(diff)
	}
}

func TestRecord_Add_ReleasesByItsFunction(t *testing.T) {
	dir, m, mine := t.TempDir(), new(machine), 0
	r := resource.New(dir, m.table())
	if err := r.Add(resource.Resource{Kind: resource.Logon}, func(context.Context) error { mine++; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(t.Context()), r.Close(t.Context())); err != nil || mine != 1 || len(m.released) > 0 {
		t.Errorf("%v; released %d times, and %q by the table", err, mine, m.released)
	}
}

func TestRetry_TransientError_FiveAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		for _, transient := range []bool{true, false} {
			tries := 0
			err := resource.Retry(t.Context(), func(error) bool { return transient }, func() error { tries++; return boom })
			if want := map[bool]int{true: 5, false: 1}[transient]; !errors.Is(err, boom) || tries != want {
				t.Errorf("transient %v: %d tries, %v", transient, tries, err)
			}
		}
	})
}

// The file stays: it may be all that names the resources.
func TestReplay_HugeFile_IsRefusedAndKept(t *testing.T) {
	bundle := t.TempDir()
	path := filepath.Join(bundle, resource.File)
	sparse.File(t, path)
	sparse.Refused(t, path, resource.Replay(t.Context(), bundle, "c", resource.Table{}))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
