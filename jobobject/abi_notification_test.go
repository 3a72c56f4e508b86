package jobobject

import (
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func TestNotificationLayout(t *testing.T) {
	var (
		lim notificationLimit
		vio limitViolation
	)
	checkLayout(t, []layout{
		{"sizeof notificationLimit", unsafe.Sizeof(lim), 72},
		{"notificationLimit.IoReadBytesLimit", unsafe.Offsetof(lim.IoReadBytesLimit), 0},
		{"notificationLimit.IoWriteBytesLimit", unsafe.Offsetof(lim.IoWriteBytesLimit), 8},
		{"notificationLimit.PerJobUserTimeLimit", unsafe.Offsetof(lim.PerJobUserTimeLimit), 16},
		{"notificationLimit.JobHighMemoryLimit", unsafe.Offsetof(lim.JobHighMemoryLimit), 24},
		{"notificationLimit.CpuRateControlTolerance", unsafe.Offsetof(lim.CpuRateControlTolerance), 32},
		{"notificationLimit.CpuRateControlToleranceInterval", unsafe.Offsetof(lim.CpuRateControlToleranceInterval), 36},
		{"notificationLimit.LimitFlags", unsafe.Offsetof(lim.LimitFlags), 40},
		{"notificationLimit.IoRateControlTolerance", unsafe.Offsetof(lim.IoRateControlTolerance), 44},
		{"notificationLimit.JobLowMemoryLimit", unsafe.Offsetof(lim.JobLowMemoryLimit), 48},
		{"notificationLimit.IoRateControlToleranceInterval", unsafe.Offsetof(lim.IoRateControlToleranceInterval), 56},
		{"notificationLimit.NetRateControlTolerance", unsafe.Offsetof(lim.NetRateControlTolerance), 60},
		{"notificationLimit.NetRateControlToleranceInterval", unsafe.Offsetof(lim.NetRateControlToleranceInterval), 64},

		{"sizeof limitViolation", unsafe.Sizeof(vio), 104},
		{"limitViolation.LimitFlags", unsafe.Offsetof(vio.LimitFlags), 0},
		{"limitViolation.ViolationLimitFlags", unsafe.Offsetof(vio.ViolationLimitFlags), 4},
		{"limitViolation.IoReadBytes", unsafe.Offsetof(vio.IoReadBytes), 8},
		{"limitViolation.IoReadBytesLimit", unsafe.Offsetof(vio.IoReadBytesLimit), 16},
		{"limitViolation.IoWriteBytes", unsafe.Offsetof(vio.IoWriteBytes), 24},
		{"limitViolation.IoWriteBytesLimit", unsafe.Offsetof(vio.IoWriteBytesLimit), 32},
		{"limitViolation.PerJobUserTime", unsafe.Offsetof(vio.PerJobUserTime), 40},
		{"limitViolation.PerJobUserTimeLimit", unsafe.Offsetof(vio.PerJobUserTimeLimit), 48},
		{"limitViolation.JobMemory", unsafe.Offsetof(vio.JobMemory), 56},
		{"limitViolation.JobHighMemoryLimit", unsafe.Offsetof(vio.JobHighMemoryLimit), 64},
		{"limitViolation.CpuRateControlTolerance", unsafe.Offsetof(vio.CpuRateControlTolerance), 72},
		{"limitViolation.CpuRateControlToleranceLimit", unsafe.Offsetof(vio.CpuRateControlToleranceLimit), 76},
		{"limitViolation.JobLowMemoryLimit", unsafe.Offsetof(vio.JobLowMemoryLimit), 80},
		{"limitViolation.IoRateControlTolerance", unsafe.Offsetof(vio.IoRateControlTolerance), 88},
		{"limitViolation.IoRateControlToleranceLimit", unsafe.Offsetof(vio.IoRateControlToleranceLimit), 92},
		{"limitViolation.NetRateControlTolerance", unsafe.Offsetof(vio.NetRateControlTolerance), 96},
		{"limitViolation.NetRateControlToleranceLimit", unsafe.Offsetof(vio.NetRateControlToleranceLimit), 100},
	})
}

func TestNotificationLimitFlags(t *testing.T) {
	for _, tt := range []struct {
		name  string
		marks NotificationLimits
		flags uint32
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
			raw := newNotificationLimit(&tt.marks)
			if raw.LimitFlags != tt.flags {
				t.Errorf("LimitFlags = %#x, want %#x", raw.LimitFlags, tt.flags)
			}
			if diff := cmp.Diff(tt.marks, raw.limits()); diff != "" {
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
		ReadBytes: &Passed[uint64]{1, 2}, WriteBytes: &Passed[uint64]{3, 4},
		JobUserTime: &Passed[time.Duration]{500, 600},
		HighMemory:  &Passed[uint64]{7, 8}, LowMemory: &Passed[uint64]{7, 9},
		CPU: ToleranceMedium, Net: ToleranceHigh,
	}
	if diff := cmp.Diff(want, raw.violation()); diff != "" {
		t.Errorf("violation (-want +got):\n%s", diff)
	}
}
