package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/hostprocess"
)

func TestHostProcess_DirectoryOfTwoContainers_RemovedWithLast(t *testing.T) {
	env := newHostProcessEnvironment(t)
	other := newHostProcessEnvironment(t)
	first, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true))
	if err != nil {
		t.Fatal(err)
	}
	planned := env.job(true, func(s *specs.Spec) {
		s.Windows.LayerFolders[1], s.Process.User.Username = `C:\scratch2`, "system"
	})
	env.machine.Put(containertest.VolumeOf(`C:\scratch2`) + `bin\app.exe`)
	second, err := env.engine.HostProcess(t.Context(), "ns", "d", other.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Terminate(t.Context(), container.Killed), first.Close()); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{`c:\hpc`, `c:\var`} {
		if !slices.Contains(env.machine.Held(), "kept "+dir) {
			t.Errorf("%s was removed while it was kept: %v", dir, env.machine.Held())
		}
	}
	env.end(second)
}

func TestHostProcess_AnyStepFails_NothingLeft(t *testing.T) {
	broken := errors.New("broken")
	for _, silo := range []bool{true, false} {
		for _, method := range []string{"IsGroup", "Create", "Logon", "LayerID", "Activate", "Prepare", "Volume", "Keep", "Mount", "Link"} {
			env := newHostProcessEnvironment(t)
			env.machine.Fail(method, 0, 99, broken)
			c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(silo))
			if silo && (method == "Mount" || method == "Link") { // a silo needs no Mount, and a failed Link is a warning
				if err != nil {
					t.Fatalf("%s in a silo: %v", method, err)
				}
				env.end(c)
				continue
			}
			if !errors.Is(err, broken) {
				t.Errorf("silo %t, %s: %v", silo, method, err)
			}
			env.checkEmpty()
		}
	}
	for _, call := range []string{"CreateSilo", "Bind"} {
		env := newHostProcessEnvironment(t)
		env.kernel.Fail(call, 1, broken)
		if _, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true)); !errors.Is(err, broken) {
			t.Errorf("%s: %v", call, err)
		}
		env.checkEmpty()
	}
}

func TestHostProcess_CloseFails_NextCloseReleases(t *testing.T) {
	for _, silo := range []bool{true, false} {
		for _, method := range []string{"Unmount", "Unprepare", "Deactivate", "Unkeep", "Delete"} {
			synctest.Test(t, func(t *testing.T) {
				env := newHostProcessEnvironment(t)
				c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(silo))
				if err != nil {
					t.Fatal(err)
				}
				env.machine.Fail(method, 0, 99, errors.New("busy"))
				if err := c.Terminate(t.Context(), container.Killed); err != nil {
					t.Error(err)
				}
				if err := c.Close(); err == nil && (!silo || method != "Unmount") {
					t.Errorf("silo %t, %s: the first close succeeded", silo, method)
				} else if err != nil {
					_ = env.record()
				}
				env.machine.Fail(method, 0, 0, nil)
				env.end(c)
			})
		}
	}
}

// A virus scanner has it open, for a short time or longer than Close tries.
func TestHostProcess_DirectoryHeldByAnotherProgram_CloseSucceeds(t *testing.T) {
	for times, left := range map[int]bool{1: false, 4: false, 99: true} {
		synctest.Test(t, func(t *testing.T) {
			env := newHostProcessEnvironment(t)
			c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Terminate(t.Context(), container.Killed); err != nil {
				t.Error(err)
			}
			env.machine.Fail("Unkeep", 0, times, hostprocess.ErrHeld)
			if err := c.Close(); err != nil {
				t.Errorf("held %d times: %v", times, err)
			}
			if _, err := os.Stat(filepath.Join(env.dir, "silo-resources.json")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("held %d times: the record exists: %v", times, err)
			}
			if held := env.machine.Held(); len(held) > 0 != left {
				t.Errorf("held %d times: %q are left", times, held)
			}
		})
	}
}
