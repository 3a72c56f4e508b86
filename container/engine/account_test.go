package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/containertest"
)

// TestUsers: who is logged on for a name.
func TestUsers(t *testing.T) {
	for name, want := range map[string]string{
		`NT AUTHORITY\SYSTEM`:          `Logon NT AUTHORITY\SYSTEM`,
		`nt authority\system`:          `Logon NT AUTHORITY\SYSTEM`,
		`LocalSystem`:                  `Logon NT AUTHORITY\SYSTEM`,
		`NT AUTHORITY\Local service`:   `Logon NT AUTHORITY\LocalService`,
		`LocalService`:                 `Logon NT AUTHORITY\LocalService`,
		`NT Authority\Network Service`: `Logon NT AUTHORITY\NetworkService`,
		`networkservice`:               `Logon NT AUTHORITY\NetworkService`,
	} {
		b := newRootBed(t)
		c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true, func(s *specs.Spec) { s.Process.User.Username = name }))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Contains(b.machine.Calls(), want) {
			t.Errorf("%s: %q, want %q among them", name, b.machine.Calls(), want)
		}
		b.end(c)
	}
}

// TestGroups: a local group is represented by an account that lives as long as the container, and has another name in
// each container.
func TestGroups(t *testing.T) {
	names := map[string]bool{}
	for _, id := range []string{"c", "d"} {
		for _, group := range []string{"agents", `BUILTIN\Users`, `.\Administrators`} {
			b := newRootBed(t)
			c, err := b.host.HostProcess(t.Context(), "ns", id, b.dir, b.job(true, func(s *specs.Spec) { s.Process.User.Username = group }))
			if err != nil {
				t.Fatalf("%s: %v", group, err)
			}
			i := slices.IndexFunc(b.machine.Calls(), func(call string) bool { return strings.HasPrefix(call, "Create ") })
			if i < 0 {
				t.Fatalf("%s: no account was made: %q", group, b.machine.Calls())
			}
			name, in, _ := strings.Cut(strings.TrimPrefix(b.machine.Calls()[i], "Create "), " in ")
			if !strings.HasSuffix(group, in) || !strings.HasPrefix(name, "silo-") || !strings.Contains(b.ledger(), `{"kind":"account","name":"`+name+`"}`) {
				t.Errorf("%s: account %s in %s, list %s", group, name, in, b.ledger())
			}
			names[name] = true
			b.end(c)
		}
	}
	if len(names) != 2 {
		t.Errorf("two containers had the accounts %v", names)
	}
}

// TestInheritedUser: nobody is logged on.
func TestInheritedUser(t *testing.T) {
	b := newRootBed(t)
	plan := b.job(true, func(s *specs.Spec) { s.Annotations["microsoft.com/hostprocess-inherit-user"] = "true" })
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(c, &plan.Process); err != nil || b.listen.told.Token != 0 {
		t.Errorf("token %d, %v", b.listen.told.Token, err)
	}
	for _, call := range b.machine.Calls() {
		if strings.HasPrefix(call, "Logon") || strings.HasPrefix(call, "IsGroup") {
			t.Errorf("%s was called", call)
		}
	}
	b.end(c)
}

// TestUnknownUsers: the error names the field and what would do, and nothing is left.
func TestUnknownUsers(t *testing.T) {
	for _, name := range []string{"nobody", `CORP\Users`, `NT AUTHORITY\nobody`, `HOST\somebody`} {
		b := newRootBed(t)
		_, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true, func(s *specs.Spec) { s.Process.User.Username = name }))
		if !errdefs.IsInvalidArgument(err) || !errors.Is(err, containertest.ErrLogon) || !strings.HasPrefix(err.Error(), "process.user.username") {
			t.Errorf("%s: %v", name, err)
		}
		b.gone()
	}
}

// TestGroupLookup_Fails_UserLogsOn: who cannot tell whether a name is a group's does not keep its user out.
func TestGroupLookup_Fails_UserLogsOn(t *testing.T) {
	b := newRootBed(t)
	b.machine.Fail("IsGroup", 0, 1, errors.New("the RPC server is unavailable"))
	plan := b.job(true, func(s *specs.Spec) { s.Process.User.Username = containertest.ManagedUser })
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(c, &plan.Process); err != nil || b.listen.told.Token == 0 {
		t.Errorf("start with token %d: %v", b.listen.told.Token, err)
	}
	b.end(c)
}

// TestGroupLookup_FailsAndLogonFails_ErrorNamesBoth: the name may be a group's after all, so it is not said to be wrong.
func TestGroupLookup_FailsAndLogonFails_ErrorNamesBoth(t *testing.T) {
	b := newRootBed(t)
	broken := errors.New("the RPC server is unavailable")
	b.machine.Fail("IsGroup", 0, 1, broken)
	_, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true))
	if !errdefs.IsUnavailable(err) || errdefs.IsInvalidArgument(err) || !errors.Is(err, broken) || !errors.Is(err, containertest.ErrLogon) {
		t.Errorf("%v, want both causes, and unavailable", err)
	}
	b.gone()
}

// TestOrphans: an account is one when its container is gone, and nobody else's account ever is.
func TestOrphans(t *testing.T) {
	b := newRootBed(t)
	const password = "A long password, 4 tests!"
	if err := errors.Join(
		b.machine.Create("somebody", password, "Users", "Runs the backup."),
		b.machine.Create("silo-of-another", password, "Users", "siloshim container ns/c"),
	); err != nil {
		t.Fatal(err)
	}
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true))
	if err != nil {
		t.Fatal(err)
	}
	none := func() {
		t.Helper()
		if orphans, err := b.host.Orphans(); err != nil || len(orphans) > 0 {
			t.Errorf("orphans %v, %v", orphans, err)
		}
	}
	none()
	b.machine.Fail("Delete", 0, 99, errors.New("busy"))
	if err := c.Terminate(t.Context(), container.Killed); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err == nil {
		t.Error("close succeeded")
	}
	b.machine.Fail("Delete", 0, 0, nil)
	orphans, err := b.host.Orphans()
	if err != nil || len(orphans) != 1 || orphans[0].Namespace != "ns" || orphans[0].ID != "c" {
		t.Fatalf("orphans %v, %v", orphans, err)
	}
	if err := b.host.Remove(orphans[0]); err != nil {
		t.Error(err)
	}
	none()
	for _, name := range []string{"somebody", "silo-of-another"} {
		if err := b.machine.Delete(name); err != nil {
			t.Error(err)
		}
	}
	b.end(c)
}

// TestHostsFilesNeedNoList: a container without files of its own and without an account leaves the bundle alone, and
// the host too.
func TestHostsFilesNeedNoList(t *testing.T) {
	b := newRootBed(t)
	plan := b.job(true, func(s *specs.Spec) {
		s.Windows.LayerFolders, s.Mounts = nil, nil
		s.Annotations["microsoft.com/hostprocess-inherit-user"] = "true"
		s.Process.Args = []string{`C:\Windows\System32\bindfltapi.dll`}
		s.Process.Cwd = `C:\`
	})
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(c, &plan.Process); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string(nil), b.machine.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if err := c.Terminate(t.Context(), container.Killed); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	b.gone()
}
