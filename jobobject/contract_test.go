package jobobject_test

import (
	"os"
	"testing"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// contract is what every kernel must do. Each test has a new environment.
var contract = []struct {
	name string
	run  func(*testing.T, environment)
}{
	{"name taken", testNameTaken},
	{"name free after close", testNameFree},
	{"object path", testObjectPath},
	{"rights", testRights},
	{"closed", testClosed},

	{"exit code", testExitCode},
	{"command line", testCommandLine},
	{"arguments", testArguments},
	{"10,000 arguments", testManyArguments},
	{"environment", testEnvironment},
	{"streams", testStreams},
	{"no streams", testNoStreams},
	{"nothing else inherited", testInheritance},
	{"no program", testNoProgram},
	{"not startable", testNotStartable},
	{"bad options", testBadOptions},
	{"event", testEvent},
	{"event without a handler", testUnhandledEvent},
	{"terminate process", testTerminateProcess},
	{"wait ends", testWaitEnds},
	{"shared console", testSharedConsole},
	{"shared console is gone", testSharedConsoleGone},
	{"shared console and event", testSharedConsoleEvent},

	{"members", testMembers},
	{"member identity", testMemberIdentity},
	{"member memory", testMemberMemory},
	{"member handles", testMemberHandles},
	{"open a non-member", testMemberNonMember},
	{"signal a member", testMemberSignal},
	{"terminate a member", testMemberTerminate},
	{"assign", testAssign},
	{"assign by handle", testAssignHandle},
	{"assign to an unrelated job", testAssignUnrelated},
	{"nested", testNested},
	{"terminate job", testTerminateJob},
	{"kill on close", testKillOnClose},
	{"survives close", testSurvivesClose},
	{"wait empty", testWaitEmpty},
	{"messages", testMessages},
	{"many at once", testManyAtOnce},

	{"accounting", testAccounting},
	{"memory", testMemory},
	{"storage", testStorage},
	{"io", testIO},
	{"private working set", testPrivateWorkingSet},

	{"limits", testLimits},
	{"limits read back", testReadBack},
	{"limits removed", testRemovedLimits},
	{"limits of an opened job", testOpenedLimits},
	{"affinity of an opened job", testSetAffinity},
	{"processor rate", testCPURate},
	{"limits out of range", testLimitRange},
	{"breakaway on request", testBreakaway},
	{"silent breakaway", testSilentBreakaway},
	{"memory limit", testMemoryLimit},
	{"process limit", testProcessLimit},
	{"process time", testProcessTime},
	{"job time ends the job", testJobTime},
	{"job time sends a message", testJobTimeMessage},
	{"notification limits", testNotificationLimits},
	{"memory threshold", testMemoryThreshold},
	{"abnormal exit", testAbnormalExit},

	{"freeze", testFreeze},
	{"silo", testSilo},
	{"mapping", testMapping},
	{"no silo", testNoSilo},
	{"query access is enough", testReader},
	{"exit while open", testExitWhileOpen},
}

// runContract runs the contract of package jobobject in the environment that
// newEnvironment makes for each test. A test that needs a feature which the kernel
// does not support is skipped and names the feature. No assertion depends on the
// environment.
func runContract(t *testing.T, newEnvironment func(t testing.TB) environment) {
	t.Helper()
	for _, test := range contract {
		t.Run(test.name, func(t *testing.T) { test.run(t, newEnvironment(t)) })
	}
}

// beforeTests makes the test binary another program, if it was started as one.
var beforeTests = jobtest.Main

func TestMain(m *testing.M) {
	beforeTests()
	os.Exit(m.Run())
}

func TestContract_Simulated(t *testing.T) { runContract(t, simulated) }

func TestContract_SimulatedConsoleHosts(t *testing.T) {
	runContract(t, func(t testing.TB) environment {
		e := simulated(t)
		e.kernel.(*jobtest.Kernel).ConsoleHosts()
		return e
	})
}

func TestContract_System(t *testing.T) { runContract(t, system) }
