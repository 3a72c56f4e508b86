package jobobject

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNotificationLimitFlags(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits NotificationLimits
		flags  uint32
	}{
		{"nothing", NotificationLimits{}, 0},
		{"job time", NotificationLimits{JobUserTime: time.Second}, 0x4},
		{"high memory", NotificationLimits{HighMemory: 1}, 0x200},
		{"low memory", NotificationLimits{LowMemory: 1}, 0x8000},
		{"read", NotificationLimits{ReadBytes: 1}, 0x10000},
		{"write", NotificationLimits{WriteBytes: 1}, 0x20000},
		{"processor", NotificationLimits{CPU: RateTolerance{ToleranceLow, IntervalLong}}, 0x40000},
		{"network", NotificationLimits{Net: RateTolerance{ToleranceHigh, IntervalShort}}, 0x100000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := newNotificationLimit(&tt.limits)
			if raw.LimitFlags != tt.flags {
				t.Errorf("LimitFlags = %#x, want %#x", raw.LimitFlags, tt.flags)
			}
			if diff := cmp.Diff(tt.limits, raw.limits()); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestViolationFields(t *testing.T) {
	raw := limitViolation{
		LimitFlags:  0x178204,
		IoReadBytes: 1, IoReadBytesLimit: 2, IoWriteBytes: 3, IoWriteBytesLimit: 4, PerJobUserTime: 5, PerJobUserTimeLimit: 6,
		JobMemory: 7, JobHighMemoryLimit: 8, JobLowMemoryLimit: 9, CpuRateControlTolerance: 2, NetRateControlTolerance: 3,
	}
	if diff := cmp.Diff(Violation{}, raw.violation()); diff != "" {
		t.Errorf("no violation (-want +got):\n%s", diff)
	}
	raw.ViolationLimitFlags = raw.LimitFlags
	want := Violation{
		ReadBytes: &Crossed[uint64]{1, 2}, WriteBytes: &Crossed[uint64]{3, 4},
		JobUserTime: &Crossed[time.Duration]{500, 600},
		HighMemory:  &Crossed[uint64]{7, 8}, LowMemory: &Crossed[uint64]{7, 9},
		CPU: ToleranceMedium, Net: ToleranceHigh,
	}
	if diff := cmp.Diff(want, raw.violation()); diff != "" {
		t.Errorf("violation (-want +got):\n%s", diff)
	}
}
