package jobobject

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// fill lays data over a structure, as a kernel does that answers anything at all.
func fill[T any](data []byte) *T {
	info := new(T)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(info)), unsafe.Sizeof(*info)), data)
	return info
}

func FuzzProcessIDs(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0}, uint8(2))
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 4}, uint8(9))
	f.Fuzz(func(t *testing.T, data []byte, room uint8) {
		words := make([]uint64, idListRoom(int(room)))
		for i := range words {
			var word [8]byte
			copy(word[:], data[min(len(data), 8*i):])
			words[i] = binary.LittleEndian.Uint64(word[:])
		}
		pids := make([]uint32, room)
		listed, assigned := readProcessIDs(words, pids)
		if listed < 0 || listed > len(pids) || assigned < listed {
			t.Fatalf("%d listed of %d, room for %d", listed, assigned, room)
		}
		for i, pid := range pids {
			if i < listed && pid != uint32(words[1+i]) || i >= listed && pid != 0 {
				t.Errorf("pid %d is %d", i, pid)
			}
		}
	})
}

// FuzzLimits reads each structure of limits and wants what was read to come back
// the same when it is written and read again.
func FuzzLimits(f *testing.F) {
	for _, l := range []Limits{
		{JobMemory: 1, JobUserTime: 100, SchedulingClass: new(uint8(5)), Breakaway: BreakawayAlways}, {CPURate: 5, CPUNotify: true},
	} {
		x, c := l.extended(false), l.cpuRate()
		f.Add(unsafe.Slice((*byte)(unsafe.Pointer(&x)), unsafe.Sizeof(x)))
		f.Add(unsafe.Slice((*byte)(unsafe.Pointer(&c)), unsafe.Sizeof(c)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var once, again Limits
		fill[extendedLimit](data).read(&once)
		x := once.extended(false)
		x.read(&again)
		fill[cpuRateControl](data).read(&once)
		c := once.cpuRate()
		c.read(&again)
		fill[netRateControl](data).read(&once)
		n := once.netRate()
		n.read(&again)
		if diff := cmp.Diff(once, again); diff != "" {
			t.Errorf("not stable (-once +again):\n%s", diff)
		}
		if once.JobUserTime < 0 || once.ProcessUserTime < 0 {
			t.Errorf("times %v and %v", once.JobUserTime, once.ProcessUserTime)
		}
	})
}

func FuzzAffinity(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, processors uint8) {
		info := fill[[maxGroups]groupAffinity](data)
		var l Limits
		readAffinity(info[:], []int{int(processors)}, &l)
		for i, a := range l.Affinity {
			if a.Mask == 0 {
				t.Errorf("group %d without a processor", i)
			}
		}
	})
}

func FuzzNotifications(f *testing.F) {
	f.Add(make([]byte, 72))
	f.Fuzz(func(t *testing.T, data []byte) {
		once := fill[notificationLimit](data).limits()
		raw := newNotificationLimit(&once)
		again := raw.limits()
		// A tolerance without a level is none, whatever its interval.
		for _, r := range []*RateTolerance{&once.CPU, &once.Net} {
			if r.Level == 0 {
				*r = RateTolerance{}
			}
		}
		if once != again {
			t.Errorf("%+v came back as %+v", once, again)
		}
		v := fill[limitViolation](data).violation()
		if v.JobUserTime != nil && (v.JobUserTime.Value < 0 || v.JobUserTime.Threshold < 0) {
			t.Errorf("job time %+v", *v.JobUserTime)
		}
	})
}

func FuzzAccounting(f *testing.F) {
	f.Add(make([]byte, 48))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := fill[basicAccounting](data).accounting()
		if a.UserTime < 0 || a.KernelTime < 0 {
			t.Errorf("times %v and %v", a.UserTime, a.KernelTime)
		}
		raw := fill[siloBasic](data)
		if s := raw.silo(); s.InServerSilo != (raw.IsInServerSilo != 0) || s.Processes != raw.NumberOfProcesses {
			t.Errorf("silo = %+v of %+v", s, *raw)
		}
		server := fill[serverSiloBasic](data)
		if s := server.serverSilo(); s.SessionID != server.ServiceSessionID || s.ExitStatus != server.ExitStatus {
			t.Errorf("server silo = %+v of %+v", s, *server)
		}
		if p := fill[kernelUserTimes](data).times(); p.User < 0 || p.Kernel < 0 {
			t.Errorf("times of a process %+v", p)
		}
		if m := fill[vmCounters](data).memory(false); m.PrivateWorkingSet != 0 || m.PrivateKnown {
			t.Errorf("memory %+v of a kernel without the field", m)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add(uint32(NotificationLimit), uint64(1)<<32|7)
	f.Fuzz(func(t *testing.T, kind uint32, value uint64) {
		m := newMessage(kind, uintptr(value))
		if m.Kind != MessageKind(kind) || m.Kind.String() == "" {
			t.Errorf("message %+v of %d", m, kind)
		}
		if m.Kind.OfProcess() && m.Pid != uint32(value) || !m.Kind.OfProcess() && m.Pid != 0 {
			t.Errorf("pid = %d of %#x", m.Pid, value)
		}
	})
}
