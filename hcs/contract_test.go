package hcs_test

import (
	"os"
	"testing"

	"github.com/siloshim/siloshim/hcs/hcstest"
)

// contract is what every service must do. Each test has its environment. What a
// service does not support is skipped by name; no assertion is weaker for it.
var contract = []struct {
	name string
	run  func(*testing.T, environment)
}{
	{"life of a system", testLife},
	{"id taken", testTaken},
	{"unknown id", testUnknownID},
	{"document refused", testRefused},
	{"wrong state", testWrongState},
	{"shut down", testShutDown},
	{"terminate", testTerminate},
	{"terminate twice", testTerminateTwice},
	{"pause", testPause},
	{"last handle", testLastHandle},
	{"closed", testClosed},
	{"wait for system ends", testWaitEnds},
	{"late subscriber", testLateSubscriber},
	{"notifications end", testNotificationsEnd},

	{"basic properties", testBasic},
	{"statistics", testStatistics},
	{"process list", testProcessList},
	{"properties of the dead", testDead},
	{"modify", testModify},
	{"enumerate", testEnumerate},
	{"service", testService},

	{"exit code", testExitCode},
	{"arguments", testArguments},
	{"environment", testEnvironment},
	{"streams", testStreams},
	{"much output", testMuchOutput},
	{"no streams", testNoStreams},
	{"no program", testNoProgram},
	{"kill", testKill},
	{"kill twice", testKillTwice},
	{"kill the dying", testKillDying},
	{"signal", testSignal},
	{"signal the dead", testSignalDead},
	{"open process", testOpenProcess},
	{"open no process", testOpenNoProcess},
	{"wait for process ends", testProcessWaitEnds},
	{"system takes processes along", testTakesAlong},
	{"console", testConsole},
	{"many at once", testManyAtOnce},
}

func TestMain(m *testing.M) {
	hcstest.Main()
	os.Exit(m.Run())
}

func TestContract_Simulated(t *testing.T) { runContract(t, simulated) }

// TestContract_SimulatedOldCodes: a service that fails with the older range of codes is the
// same to a caller.
func TestContract_SimulatedOldCodes(t *testing.T) { runContract(t, oldCodes) }

func TestContract_ComputeCore(t *testing.T) { runContract(t, computeCore) }

func runContract(t *testing.T, newEnvironment func(testing.TB) environment) {
	t.Helper()
	for _, test := range contract {
		t.Run(test.name, func(t *testing.T) { test.run(t, newEnvironment(t)) })
	}
}
