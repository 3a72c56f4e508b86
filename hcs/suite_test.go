package hcs_test

import (
	"os"
	"testing"

	"github.com/siloshim/siloshim/hcs/hcstest"
)

func TestMain(m *testing.M) {
	hcstest.Main()
	os.Exit(m.Run())
}

func TestSuiteSimulated(t *testing.T) { hcstest.RunSuite(t, hcstest.Simulated) }

// TestSuiteOldCodes: a service that fails with the older range of codes is the
// same to a caller.
func TestSuiteOldCodes(t *testing.T) {
	hcstest.RunSuite(t, func(t testing.TB) hcstest.Bed {
		b := hcstest.Simulated(t)
		b.Simulated.OldCodes()
		return b
	})
}

func TestSuiteComputeCore(t *testing.T) { hcstest.RunSuite(t, hcstest.Real) }
