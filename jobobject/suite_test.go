package jobobject_test

import (
	"os"
	"testing"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func TestMain(m *testing.M) {
	jobtest.Main()
	os.Exit(m.Run())
}

func TestSuiteSimulated(t *testing.T) { jobtest.RunSuite(t, jobtest.Simulated) }

func TestSuiteSystem(t *testing.T) { jobtest.RunSuite(t, jobtest.Real) }
