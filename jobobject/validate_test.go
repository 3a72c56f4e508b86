package jobobject_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
)

func TestLimitsValidate_OutOfRange_NamesFieldAndRange(t *testing.T) {
	type L = jobobject.Limits
	for _, tt := range []struct {
		limits L
		want   string // empty for valid
	}{
		{L{}, ""},
		{L{CPURate: 10000}, ""},
		{L{CPURate: 10001}, "CPURate is 10001, want 1 to 10000"},
		{L{CPUWeight: 9}, ""},
		{L{CPUWeight: 10}, "CPUWeight is 10, want 1 to 9"},
		{L{CPUMinRate: 1, CPUMaxRate: 10000}, ""},
		{L{CPUMinRate: 5, CPUMaxRate: 4}, "CPUMinRate is 5, want 1 to CPUMaxRate, 4"},
		{L{CPUMinRate: 1, CPUMaxRate: 10001}, "CPUMaxRate is 10001, want 1 to 10000"},
		{L{CPUMaxRate: 5}, "CPUMinRate and CPUMaxRate need each other"},
		{L{CPUMinRate: 5}, "CPUMinRate and CPUMaxRate need each other"},
		{L{CPURate: 1, CPUWeight: 1}, "exclude each other"},
		{L{CPURate: 1, CPUMinRate: 1, CPUMaxRate: 1}, "exclude each other"},
		{L{CPUWeight: 1, CPUMinRate: 1, CPUMaxRate: 1}, "exclude each other"},
		{L{CPUNotify: true}, "CPUNotify needs"},
		{L{JobMemory: 2, ProcessMemory: 2}, ""},
		{L{ProcessMemory: 2}, ""},
		{L{JobMemory: 1, ProcessMemory: 2}, "ProcessMemory is 2, want at most JobMemory, 1"},
		{L{MinWorkingSet: 1, MaxWorkingSet: 1}, ""},
		{L{MinWorkingSet: 2, MaxWorkingSet: 1}, "MinWorkingSet is 2, want at most MaxWorkingSet, 1"},
		{L{MinWorkingSet: 1}, "MinWorkingSet and MaxWorkingSet need each other"},
		{L{MaxWorkingSet: 1}, "MinWorkingSet and MaxWorkingSet need each other"},
		{L{JobUserTime: 100, ProcessUserTime: 100}, ""},
		{L{JobUserTime: 99}, "JobUserTime is 99ns, want at least 100ns"},
		{L{ProcessUserTime: -1}, "ProcessUserTime is -1ns, want at least 100ns"},
		{L{AtJobTime: 2}, "AtJobTime is 2, want 0 or 1"},
		{L{Breakaway: 3}, "Breakaway is 3, want 0 to 2"},
		{L{PriorityClass: jobobject.PriorityRealtime}, ""},
		{L{PriorityClass: 1}, "PriorityClass is 0x1"},
		{L{SchedulingClass: new(uint8(9))}, ""},
		{L{SchedulingClass: new(uint8(10))}, "SchedulingClass is 10, want 0 to 9"},
		{L{NetBandwidth: math.MaxUint64, NetDSCP: new(uint8(63))}, ""},
		{L{NetDSCP: new(uint8(64))}, "NetDSCP is 64, want 0 to 63"},
		{L{UI: jobobject.UIAll}, ""},
		{L{UI: 0x100}, "UI is 0x100, want 0xff at most"},
		{L{Affinity: []jobobject.GroupAffinity{{Mask: 1}, {Mask: 1, Group: 1}}}, ""},
		{L{Affinity: []jobobject.GroupAffinity{{Group: 1}}}, "Affinity[0].Mask is 0"},
		{L{Affinity: []jobobject.GroupAffinity{{Mask: 1}, {Mask: 2}}}, "Affinity[1].Group is 0 again"},
	} {
		err := tt.limits.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("Validate(%+v) = %v, want %q", tt.limits, err, tt.want)
		}
	}
}

func TestNotificationLimitsValidate_OutOfRange_NamesFieldAndRange(t *testing.T) {
	type N = jobobject.NotificationLimits
	for _, tt := range []struct {
		limits N
		want   string // empty for valid
	}{
		{N{}, ""},
		{N{HighMemory: 1, LowMemory: 1, JobUserTime: time.Second}, ""},
		{N{LowMemory: 5}, ""},
		{N{HighMemory: 1, LowMemory: 2}, "LowMemory is 2, want at most HighMemory, 1"},
		{N{JobUserTime: -1}, "JobUserTime is -1ns"},
		{N{CPU: jobobject.RateTolerance{Level: 1, Interval: 3}, Net: jobobject.RateTolerance{Level: 3, Interval: 1}}, ""},
		{N{CPU: jobobject.RateTolerance{Level: 4, Interval: 1}}, "CPU.Level is 4, want 1 to 3"},
		{N{Net: jobobject.RateTolerance{Level: 1}}, "Net.Interval is 0, want 1 to 3"},
		{N{Net: jobobject.RateTolerance{Interval: 1}}, "Net.Level is 0, want 1 to 3"},
	} {
		err := tt.limits.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("Validate(%+v) = %v, want %q", tt.limits, err, tt.want)
		}
	}
}

func TestLimitsClone_Changed_OriginalIsNot(t *testing.T) {
	l := jobobject.Limits{
		SchedulingClass: new(uint8(1)), NetDSCP: new(uint8(2)), Affinity: []jobobject.GroupAffinity{{Mask: 3}},
	}
	c := l.Clone()
	if diff := cmp.Diff(l, c); diff != "" {
		t.Fatalf("clone (-want +got):\n%s", diff)
	}
	*c.SchedulingClass, *c.NetDSCP, c.Affinity[0].Mask = 7, 8, 9
	if *l.SchedulingClass != 1 || *l.NetDSCP != 2 || l.Affinity[0].Mask != 3 {
		t.Error("the clone shares memory")
	}
}
