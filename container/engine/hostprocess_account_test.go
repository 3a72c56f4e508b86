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

func TestHostProcess_ServiceAccountName_LogsOnThatAccount(t *testing.T) {
	for name, want := range map[string]string{
		`NT AUTHORITY\SYSTEM`:          `Logon NT AUTHORITY\SYSTEM`,
		`nt authority\system`:          `Logon NT AUTHORITY\SYSTEM`,
		`LocalSystem`:                  `Logon NT AUTHORITY\SYSTEM`,
		`NT AUTHORITY\Local service`:   `Logon NT AUTHORITY\LocalService`,
		`LocalService`:                 `Logon NT AUTHORITY\LocalService`,
		`NT Authority\Network Service`: `Logon NT AUTHORITY\NetworkService`,
		`networkservice`:               `Logon NT AUTHORITY\NetworkService`,
	} {
		env := newHostProcessEnvironment(t)
		c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true, func(s *specs.Spec) { s.Process.User.Username = name }))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Contains(env.machine.Calls(), want) {
			t.Errorf("%s: %q, want %q among them", name, env.machine.Calls(), want)
		}
		env.end(c)
	}
}

// The account is deleted with the container. Its name differs between containers.
func TestHostProcess_LocalGroup_HasAccountOfContainer(t *testing.T) {
	names := map[string]bool{}
	for _, id := range []string{"c", "d"} {
		for _, group := range []string{"agents", `BUILTIN\Users`, `.\Administrators`} {
			env := newHostProcessEnvironment(t)
			c, err := env.engine.HostProcess(t.Context(), "ns", id, env.dir, env.job(true, func(s *specs.Spec) { s.Process.User.Username = group }))
			if err != nil {
				t.Fatalf("%s: %v", group, err)
			}
			i := slices.IndexFunc(env.machine.Calls(), func(call string) bool { return strings.HasPrefix(call, "Create ") })
			if i < 0 {
				t.Fatalf("%s: no account was made: %q", group, env.machine.Calls())
			}
			name, in, _ := strings.Cut(strings.TrimPrefix(env.machine.Calls()[i], "Create "), " in ")
			if !strings.HasSuffix(group, in) || !strings.HasPrefix(name, "silo-") || !strings.Contains(env.record(), `{"kind":"account","name":"`+name+`"}`) {
				t.Errorf("%s: account %s in %s, record %s", group, name, in, env.record())
			}
			names[name] = true
			env.end(c)
		}
	}
	if len(names) != 2 {
		t.Errorf("two containers had the accounts %v", names)
	}
}

func TestHostProcess_InheritUser_NoLogon(t *testing.T) {
	env := newHostProcessEnvironment(t)
	plan := env.job(true, func(s *specs.Spec) { s.Annotations["microsoft.com/hostprocess-inherit-user"] = "true" })
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.start(c, &plan.Process); err != nil || env.recorder.process.Token != 0 {
		t.Errorf("token %d, %v", env.recorder.process.Token, err)
	}
	for _, call := range env.machine.Calls() {
		if strings.HasPrefix(call, "Logon") || strings.HasPrefix(call, "IsGroup") {
			t.Errorf("%s was called", call)
		}
	}
	env.end(c)
}

func TestHostProcess_UnknownUser_ErrorNamesField(t *testing.T) {
	for _, name := range []string{"unknown", `CORP\Users`, `NT AUTHORITY\unknown`, `HOST\unknown`} {
		env := newHostProcessEnvironment(t)
		_, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true, func(s *specs.Spec) { s.Process.User.Username = name }))
		if !errdefs.IsInvalidArgument(err) || !errors.Is(err, containertest.ErrLogon) || !strings.HasPrefix(err.Error(), "process.user.username") {
			t.Errorf("%s: %v", name, err)
		}
		env.checkEmpty()
	}
}

// The name may be that of a user.
func TestHostProcess_GroupLookupFails_UserLogsOn(t *testing.T) {
	env := newHostProcessEnvironment(t)
	env.machine.Fail("IsGroup", 0, 1, errors.New("the RPC server is unavailable"))
	plan := env.job(true, func(s *specs.Spec) { s.Process.User.Username = containertest.ManagedUser })
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.start(c, &plan.Process); err != nil || env.recorder.process.Token == 0 {
		t.Errorf("start with token %d: %v", env.recorder.process.Token, err)
	}
	env.end(c)
}

// The name may be that of a group, so the argument is not invalid.
func TestHostProcess_GroupLookupAndLogonFail_ErrorNamesBoth(t *testing.T) {
	env := newHostProcessEnvironment(t)
	broken := errors.New("the RPC server is unavailable")
	env.machine.Fail("IsGroup", 0, 1, broken)
	_, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true))
	if !errdefs.IsUnavailable(err) || errdefs.IsInvalidArgument(err) || !errors.Is(err, broken) || !errors.Is(err, containertest.ErrLogon) {
		t.Errorf("%v, want both causes, and unavailable", err)
	}
	env.checkEmpty()
}

// Accounts that were not made for a container are not listed.
func TestOrphans_ContainerGone_AccountIsListed(t *testing.T) {
	env := newHostProcessEnvironment(t)
	const password = "A long password, 4 tests!"
	if err := errors.Join(
		env.machine.Create("backup", password, "Users", "Runs the backup."),
		env.machine.Create("silo-of-another", password, "Users", "siloshim container ns/c"),
	); err != nil {
		t.Fatal(err)
	}
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true))
	if err != nil {
		t.Fatal(err)
	}
	none := func() {
		t.Helper()
		if orphans, err := env.engine.Orphans(); err != nil || len(orphans) > 0 {
			t.Errorf("orphans %v, %v", orphans, err)
		}
	}
	none()
	env.machine.Fail("Delete", 0, 99, errors.New("busy"))
	if err := c.Terminate(t.Context(), container.Killed); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err == nil {
		t.Error("close succeeded")
	}
	env.machine.Fail("Delete", 0, 0, nil)
	orphans, err := env.engine.Orphans()
	if err != nil || len(orphans) != 1 || orphans[0].Namespace != "ns" || orphans[0].ID != "c" {
		t.Fatalf("orphans %v, %v", orphans, err)
	}
	if err := env.engine.Remove(orphans[0]); err != nil {
		t.Error(err)
	}
	none()
	for _, name := range []string{"backup", "silo-of-another"} {
		if err := env.machine.Delete(name); err != nil {
			t.Error(err)
		}
	}
	env.end(c)
}

// Such a container changes neither its bundle nor the machine.
func TestHostProcess_HostFilesAndUser_NoRecord(t *testing.T) {
	env := newHostProcessEnvironment(t)
	plan := env.job(true, func(s *specs.Spec) {
		s.Windows.LayerFolders, s.Mounts = nil, nil
		s.Annotations["microsoft.com/hostprocess-inherit-user"] = "true"
		s.Process.Args = []string{`C:\Windows\System32\bindfltapi.dll`}
		s.Process.Cwd = `C:\`
	})
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.start(c, &plan.Process); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string(nil), env.machine.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if err := c.Terminate(t.Context(), container.Killed); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	env.checkEmpty()
}
