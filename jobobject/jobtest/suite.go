package jobtest

import (
	"testing"
)

// RunSuite runs the contract of package jobobject over the bed that newBed makes
// for each test. What a kernel lacks is skipped by name, and nothing is asked
// more softly because of it.
func RunSuite(t *testing.T, newBed func(t testing.TB) Bed) {
	t.Helper()
	for _, test := range []struct {
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
		{"bad options", testBadOptions},
		{"event", testEvent},
		{"terminate process", testTerminateProcess},
		{"wait ends", testWaitEnds},

		{"members", testMembers},
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
		{"private working set", testPrivateWorkingSet},
		{"limits", testLimits},
		{"processor rate", testCPURate},
		{"limits out of range", testLimitRange},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newBed(t)) })
	}
}
