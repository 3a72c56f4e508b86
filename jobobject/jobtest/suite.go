package jobtest

import (
	"testing"
)

// contract is the suite, from the life of a job to what it is rarely used for.
var contract = []struct {
	name string
	run  func(*testing.T, Bed)
}{
	{"name taken", testNameTaken},
	{"name free after close", testNameFree},
	{"object path", testObjectPath},
	{"rights", testRights},
	{"closed", testClosed},

	{"exit code", testExitCode},
	{"arguments", testArguments},
	{"environment", testEnvironment},
	{"streams", testStreams},
	{"no streams", testNoStreams},
	{"nothing else inherited", testInheritance},
	{"no program", testNoProgram},
	{"not startable", testNotStartable},
	{"bad options", testBadOptions},
	{"event", testEvent},
	{"event of a member", testMemberEvent},
	{"event without a handler", testUnhandledEvent},
	{"terminate process", testTerminateProcess},
	{"wait ends", testWaitEnds},

	{"members", testMembers},
	{"member identity", testMemberIdentity},
	{"member memory", testMemberMemory},
	{"member handles", testMemberHandles},
	{"member stranger", testMemberStranger},
	{"assign", testAssign},
	{"assign stranger", testAssignStranger},
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
	{"limits taken away", testTakenAway},
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
	{"job time is announced", testJobTimeNotice},
	{"notification limits", testNotificationLimits},
	{"memory mark", testMemoryMark},
	{"abnormal exit", testAbnormalExit},

	{"freeze", testFreeze},
	{"silo", testSilo},
	{"mapping", testMapping},
	{"no silo", testNoSilo},
	{"query access is enough", testReader},
	{"exit while open", testExitWhileOpen},
}

// RunSuite runs the contract of package jobobject over the bed that newBed makes
// for each test. What a kernel lacks is skipped by name, and nothing is asked
// more softly because of it.
func RunSuite(t *testing.T, newBed func(t testing.TB) Bed) {
	t.Helper()
	for _, test := range contract {
		t.Run(test.name, func(t *testing.T) { test.run(t, newBed(t)) })
	}
}
