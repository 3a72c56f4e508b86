package host_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/siloshim/siloshim/shim/host"
	"github.com/siloshim/siloshim/shim/host/hosttest"
)

func TestFilesOfThisMachine(t *testing.T) {
	hosttest.FilesSuite(t, host.SystemFiles, t.TempDir())
}

func TestAccountsOfThisMachine(t *testing.T) {
	const probe = "silo-probe"
	if err := host.SystemAccounts.Create(probe, "A long password, 4 tests!", "Users", "A probe."); errors.Is(err, fs.ErrPermission) {
		t.Skip("this user may not make accounts")
	}
	if err := host.SystemAccounts.Delete(probe); err != nil {
		t.Error(err)
	}
	hosttest.AccountsSuite(t, host.SystemAccounts)
}
