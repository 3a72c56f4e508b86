package hcstest

import "testing"

// RunSuite runs the contract of package hcs over the bed that newBed makes for
// each test. What a service lacks is skipped by name, and nothing is asked more
// softly because of it.
func RunSuite(t *testing.T, newBed func(t testing.TB) Bed) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, Bed)
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
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newBed(t)) })
	}
}
