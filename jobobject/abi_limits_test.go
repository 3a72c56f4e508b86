package jobobject

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestExtendedLimits writes each limit alone and reads it back. The flags are
// those of the Windows SDK.
func TestExtendedLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits Limits
		flags  uint32
	}{
		{"nothing", Limits{}, 0},
		{"working set", Limits{MinWorkingSet: 1, MaxWorkingSet: 2}, 0x1},
		{"process time", Limits{ProcessUserTime: time.Second}, 0x2},
		{"job time", Limits{JobUserTime: time.Second}, 0x4},
		{"processes", Limits{ActiveProcesses: 3}, 0x8},
		{"priority", Limits{PriorityClass: PriorityBelowNormal}, 0x20},
		{"scheduling", Limits{SchedulingClass: new(uint8(9))}, 0x80},
		{"least scheduling", Limits{SchedulingClass: new(uint8(0))}, 0x80},
		{"process memory", Limits{ProcessMemory: 1 << 20}, 0x100},
		{"job memory", Limits{JobMemory: 1 << 20}, 0x200},
		{"die on exception", Limits{DieOnUnhandledException: true}, 0x400},
		{"breakaway", Limits{Breakaway: BreakawayOnRequest}, 0x800},
		{"silent breakaway", Limits{Breakaway: BreakawayAlways}, 0x1000},
		{"kill on close", Limits{KillOnClose: true}, 0x2000},
		{"some", Limits{KillOnClose: true, JobMemory: 2, ProcessMemory: 1, ActiveProcesses: 3}, 0x2308},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := tt.limits.extended(false)
			if got := raw.BasicLimitInformation.LimitFlags; got != tt.flags {
				t.Errorf("LimitFlags = %#x, want %#x", got, tt.flags)
			}
			var got Limits
			raw.read(&got)
			if diff := cmp.Diff(tt.limits, got); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeepJobTime(t *testing.T) {
	l := Limits{JobUserTime: time.Second}
	if raw := l.extended(true); raw.BasicLimitInformation.LimitFlags != 0x40 {
		t.Errorf("LimitFlags = %#x, want the job time preserved", raw.BasicLimitInformation.LimitFlags)
	}
	l = Limits{}
	if raw := l.extended(true); raw.BasicLimitInformation.LimitFlags != 0 {
		t.Errorf("LimitFlags = %#x, want no job time to preserve", raw.BasicLimitInformation.LimitFlags)
	}
}

// TestStaleLimits has values whose flags are off.
func TestStaleLimits(t *testing.T) {
	raw := extendedLimit{ProcessMemoryLimit: 1, JobMemoryLimit: 2, BasicLimitInformation: basicLimit{
		PerProcessUserTimeLimit: 3, PerJobUserTimeLimit: 4, MinimumWorkingSetSize: 5, MaximumWorkingSetSize: 6,
		ActiveProcessLimit: 7, PriorityClass: 8, SchedulingClass: 9,
	}}
	got := Limits{UI: UIDesktop, JobMemory: 99}
	raw.read(&got)
	if diff := cmp.Diff(Limits{UI: UIDesktop}, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

func TestCPURateControl(t *testing.T) {
	for _, tt := range []struct {
		limits       Limits
		flags, value uint32
	}{
		{Limits{}, 0, 0},
		{Limits{CPURate: 2500}, 0x5, 2500},
		{Limits{CPUWeight: 7}, 0x3, 7},
		{Limits{CPUMinRate: 0x102, CPUMaxRate: 0x2304}, 0x11, 0x23040102},
		{Limits{CPURate: 1, CPUNotify: true}, 0xD, 1},
	} {
		raw := tt.limits.cpuRate()
		if raw.ControlFlags != tt.flags || raw.Value != tt.value {
			t.Errorf("%+v is flags %#x value %#x, want %#x and %#x", tt.limits, raw.ControlFlags, raw.Value, tt.flags, tt.value)
		}
		got := Limits{CPURate: 99}
		raw.read(&got)
		if diff := cmp.Diff(tt.limits, got); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	}
}

func TestNetRateControl(t *testing.T) {
	for _, tt := range []struct {
		limits Limits
		flags  uint32
	}{
		{Limits{}, 0},
		{Limits{NetBandwidth: 1 << 40}, 0x3},
		{Limits{NetDSCP: new(uint8(0))}, 0x5},
		{Limits{NetBandwidth: 5, NetDSCP: new(uint8(63))}, 0x7},
	} {
		raw := tt.limits.netRate()
		if raw.ControlFlags != tt.flags {
			t.Errorf("%+v is flags %#x, want %#x", tt.limits, raw.ControlFlags, tt.flags)
		}
		got := Limits{NetBandwidth: 99}
		raw.read(&got)
		if diff := cmp.Diff(tt.limits, got); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	}
}

func TestAffinity(t *testing.T) {
	for _, tt := range []struct {
		name    string
		groups  []GroupAffinity
		machine []int
		none    bool
	}{
		{"part of two groups", []GroupAffinity{{Mask: 1 << 63, Group: 0}, {Mask: 3, Group: 2}}, []int{64, 64, 64}, false},
		{"one of two groups", []GroupAffinity{{Mask: 1<<64 - 1, Group: 1}}, []int{64, 64}, false},
		{"part of the one group", []GroupAffinity{{Mask: 3}}, []int{4}, false},
		{"whole machine", []GroupAffinity{{Mask: 0xF}}, []int{4}, true},
		{"whole machine of two groups", []GroupAffinity{{Mask: 0xFF, Group: 1}, {Mask: 1<<64 - 1}}, []int{64, 8}, true},
		{"a group that the machine does not have", []GroupAffinity{{Mask: 0xF, Group: 7}}, []int{4}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The kernel fills what there is of a longer array.
			raw := append(newGroupAffinities(tt.groups), make([]groupAffinity, 5)...)
			got, want := Limits{Affinity: []GroupAffinity{{Mask: 99}}}, Limits{Affinity: tt.groups}
			readAffinity(raw, tt.machine, &got)
			if tt.none {
				want = Limits{}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDurationNeverOverflows(t *testing.T) {
	for ticks, want := range map[int64]time.Duration{
		0: 0, 1: 100, 10_000_000: time.Second, 1<<63 - 1: (1<<63 - 1) / 100 * 100, -1: 0, -1 << 63: 0,
	} {
		if got := duration(ticks); got != want {
			t.Errorf("duration(%d) = %d, want %d", ticks, got, want)
		}
	}
}
