package jobobject_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

func testLimits(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	want := jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, ProcessMemory: 1 << 29, ActiveProcesses: 50}
	if err := j.SetLimits(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got := j.Limits(); !reflect.DeepEqual(got, want) {
		t.Errorf("limits = %+v, want %+v", got, want)
	}
	if code := wait(t, start(t, j, e.options("exit", "7"))); code != 7 {
		t.Errorf("exit code under limits = %d, want 7", code)
	}
}

// eachLimit has one limit at a time, within what any machine allows.
var eachLimit = []struct {
	name   string
	limits jobobject.Limits
}{
	{"kill on close", jobobject.Limits{KillOnClose: true}},
	{"breakaway on request", jobobject.Limits{Breakaway: jobobject.BreakawayOnRequest}},
	{"silent breakaway", jobobject.Limits{Breakaway: jobobject.BreakawayAlways}},
	{"die on exception", jobobject.Limits{DieOnUnhandledException: true}},
	{"job memory", jobobject.Limits{JobMemory: 1 << 32}},
	{"process memory", jobobject.Limits{ProcessMemory: 1 << 31}},
	{"working set", jobobject.Limits{MinWorkingSet: 1 << 20, MaxWorkingSet: 1 << 26}},
	{"processes", jobobject.Limits{ActiveProcesses: 77}},
	{"job time", jobobject.Limits{JobUserTime: time.Hour}},
	{"action at job time", jobobject.Limits{JobUserTime: time.Hour, AtJobTime: jobobject.JobTimeNotify}},
	{"process time", jobobject.Limits{ProcessUserTime: time.Minute}},
	{"priority class", jobobject.Limits{PriorityClass: jobobject.PriorityBelowNormal}},
	{"scheduling class", jobobject.Limits{SchedulingClass: new(uint8(3))}},
	{"least scheduling class", jobobject.Limits{SchedulingClass: new(uint8(0))}},
	{"processor rate", jobobject.Limits{CPURate: 2500}},
	{"processor weight", jobobject.Limits{CPUWeight: 3}},
	{"processor range", jobobject.Limits{CPUMinRate: 100, CPUMaxRate: 5000}},
	{"processor notice", jobobject.Limits{CPURate: 2500, CPUNotify: true}},
	{"affinity", jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 1}}}},
	{"bandwidth", jobobject.Limits{NetBandwidth: 1 << 20}},
	{"DSCP", jobobject.Limits{NetDSCP: new(uint8(46))}},
	{"DSCP 0", jobobject.Limits{NetDSCP: new(uint8(0))}},
	{"user interface", jobobject.Limits{UI: jobobject.UIDesktop | jobobject.UIExitWindows}},
}

func testReadBack(t *testing.T, e environment) {
	for _, tt := range eachLimit {
		t.Run(tt.name, func(t *testing.T) {
			j := e.create(t, jobobject.Options{})
			e.requires(t, j.SetLimits(t.Context(), tt.limits), tt.name)
			got, err := j.QueryLimits(t.Context())
			e.requires(t, err, "reading back "+tt.name)
			if !reflect.DeepEqual(got, tt.limits) {
				t.Errorf("limits = %+v, want %+v", got, tt.limits)
			}
		})
	}
}

// testRemovedLimits sets one limit, then none. An affinity stays once it is set.
func testRemovedLimits(t *testing.T, e environment) {
	for _, tt := range eachLimit {
		if tt.limits.Affinity != nil {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			j := e.create(t, jobobject.Options{})
			e.requires(t, j.SetLimits(t.Context(), tt.limits), tt.name)
			if err := j.SetLimits(t.Context(), jobobject.Limits{}); err != nil {
				t.Fatal(err)
			}
			got, err := j.QueryLimits(t.Context())
			if err != nil || !reflect.DeepEqual(got, jobobject.Limits{}) {
				t.Errorf("limits = %+v, %v, want none", got, err)
			}
		})
	}
}

// testOpenedLimits changes one limit of an opened job.
func testOpenedLimits(t *testing.T, e environment) {
	name := e.name(t)
	made := e.create(t, jobobject.Options{Name: name})
	e.requires(t, made.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, CPURate: 9000, JobMemory: 1 << 30}), "processor rates")
	opened := e.open(t, name, jobobject.AccessQuery|jobobject.AccessSetAttributes)
	l, err := opened.QueryLimits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.JobMemory, l.CPURate = 1<<31, 0
	if err := opened.SetLimits(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	want := jobobject.Limits{KillOnClose: true, JobMemory: 1 << 31}
	if got, err := made.QueryLimits(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("limits = %+v, %v, want %+v", got, err, want)
	}
}

// testSetAffinity binds an opened job to a processor. Its other
// limits stay.
func testSetAffinity(t *testing.T, e environment) {
	name := e.name(t)
	made := e.create(t, jobobject.Options{Name: name})
	want := jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, ActiveProcesses: 77}
	if err := made.SetLimits(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	want.Affinity = []jobobject.GroupAffinity{{Mask: 1}}
	e.requires(t, e.open(t, name, jobobject.AccessSetAttributes).SetAffinity(t.Context(), want.Affinity), "affinity")
	got, err := made.QueryLimits(t.Context())
	e.requires(t, err, "reading back affinity")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("limits = %+v, want %+v", got, want)
	}
}

func testCPURate(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{})
	e.requires(t, j.SetLimits(t.Context(), jobobject.Limits{CPURate: 5000}), "processor rates")
	if err := j.SetLimits(t.Context(), jobobject.Limits{CPUWeight: 5}); err != nil {
		t.Error(err)
	}
	if err := j.SetLimits(t.Context(), jobobject.Limits{}); err != nil {
		t.Error(err)
	}
	if l := j.Limits(); l.CPURate != 0 || l.CPUWeight != 0 {
		t.Errorf("limits = %+v, want none", l)
	}
}

func testLimitRange(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{})
	for _, tt := range []struct {
		limits jobobject.Limits
		want   string
	}{
		{jobobject.Limits{CPURate: 10001}, "CPURate is 10001, want 1 to 10000"},
		{jobobject.Limits{JobMemory: 1, ProcessMemory: 2}, "ProcessMemory is 2, want at most JobMemory, 1"},
	} {
		if err := j.SetLimits(t.Context(), tt.limits); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("SetLimits(%+v): %v, want %q", tt.limits, err, tt.want)
		}
	}
}
