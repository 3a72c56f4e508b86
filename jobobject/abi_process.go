package jobobject

import (
	"encoding/binary"
	"errors"
	"structs"
	"time"
	"unicode/utf16"
	"unsafe"
)

// Information classes of NtQueryInformationProcess and NtQuerySystemInformation.
const (
	classProcessBasic       = 0
	classProcessVMCounters  = 3
	classProcessTimes       = 4
	classProcessHandleCount = 20
	classProcessImageName   = 27
	classSystemProcesses    = 5
)

// kernelUserTimes is KERNEL_USER_TIMES.
type kernelUserTimes struct {
	_          structs.HostLayout
	CreateTime int64
	ExitTime   int64
	KernelTime int64
	UserTime   int64
}

// processBasicInformation is PROCESS_BASIC_INFORMATION.
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryinformationprocess
type processBasicInformation struct {
	_                            structs.HostLayout
	ExitStatus                   int32
	_                            uint32
	PebBaseAddress               uint64
	AffinityMask                 uint64
	BasePriority                 int32
	_                            uint32
	UniqueProcessID              uint64
	InheritedFromUniqueProcessID uint64
}

// unicodeString is UNICODE_STRING; Buffer is an address.
type unicodeString struct {
	_             structs.HostLayout
	Length        uint16 // in bytes
	MaximumLength uint16
	_             uint32
	Buffer        uint64
}

// systemProcessInformation is SYSTEM_PROCESS_INFORMATION up to its counters of
// I/O; the array of threads follows them.
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysysteminformation
type systemProcessInformation struct {
	_                            structs.HostLayout
	NextEntryOffset              uint32
	NumberOfThreads              uint32
	WorkingSetPrivateSize        uint64
	HardFaultCount               uint32
	NumberOfThreadsHighWatermark uint32
	CycleTime                    uint64
	CreateTime                   int64
	UserTime                     int64
	KernelTime                   int64
	ImageName                    unicodeString
	BasePriority                 int32
	_                            uint32
	UniqueProcessID              uint64
	InheritedFromUniqueProcessID uint64
	HandleCount                  uint32
	SessionID                    uint32
	UniqueProcessKey             uint64
	memoryCounters
	PrivatePageCount uint64
	IoInfo           ioCounters
}

// errMalformed is returned for an answer that contradicts itself.
var errMalformed = errors.New("the kernel's answer is not well formed")

// ticksToUnix is how long the Windows epoch, 1601, lies before the Unix one, in ticks.
const ticksToUnix = 116444736000000000

// timeOf converts a count of ticks since 1601; what is no such time is zero.
func timeOf(ticks int64) time.Time {
	const second = int64(time.Second / tick)
	if ticks <= 0 {
		return time.Time{}
	}
	ticks -= ticksToUnix
	return time.Unix(ticks/second, ticks%second*int64(tick)).UTC()
}

func (t *kernelUserTimes) times() ProcessTimes {
	return ProcessTimes{Created: timeOf(t.CreateTime), User: duration(t.UserTime), Kernel: duration(t.KernelTime)}
}

// memory of the counters; private reports whether the kernel filled the whole form.
func (c *vmCounters) memory(private bool) ProcessMemory {
	m := ProcessMemory{
		// PagefileUsage is the same value, and set by kernels that leave the other one out.
		Commit:     max(c.PrivateUsage, c.PagefileUsage),
		WorkingSet: c.WorkingSetSize, PageFaults: c.PageFaultCount, PrivateKnown: private,
	}
	if private {
		m.PrivateWorkingSet = c.PrivateWorkingSetSize
	}
	return m
}

// decodeImage takes the last element of the path in the answer to
// ProcessImageFileName: a UNICODE_STRING whose text follows it at once.
func decodeImage(buf []byte) (string, error) {
	const header = int(unsafe.Sizeof(unicodeString{}))
	if len(buf) < header {
		return "", errMalformed
	}
	length := int(binary.LittleEndian.Uint16(buf))
	if length%2 != 0 || length > len(buf)-header {
		return "", errMalformed
	}
	return lastElement(buf[header:][:length]), nil
}

// lastElement of a path in UTF-16.
func lastElement(text []byte) string {
	units := make([]uint16, 0, 32)
	for ; len(text) >= 2; text = text[2:] {
		u := binary.LittleEndian.Uint16(text)
		if u == '\\' {
			units = units[:0]
			continue
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// decodeSystemProcesses appends the entries of a SystemProcessInformation answer
// that the kernel wrote at the address base.
func decodeSystemProcesses(list []SystemProcess, buf []byte, base uint64) ([]SystemProcess, error) {
	const size = int(unsafe.Sizeof(systemProcessInformation{}))
	for at := 0; ; {
		if len(buf)-at < size {
			return list, errMalformed
		}
		var info systemProcessInformation
		// A copy, so that an odd offset does no harm.
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&info)), size), buf[at:])
		p, err := info.process(buf, base)
		if err != nil {
			return list, err
		}
		list = append(list, p)
		next := int(info.NextEntryOffset)
		if next == 0 {
			return list, nil
		}
		if next < size || next > len(buf)-at {
			return list, errMalformed
		}
		at += next
	}
}

func (i *systemProcessInformation) process(buf []byte, base uint64) (SystemProcess, error) {
	p := SystemProcess{
		Pid: uint32(i.UniqueProcessID), Parent: uint32(i.InheritedFromUniqueProcessID),
		Threads: i.NumberOfThreads, Handles: i.HandleCount,
		Times: ProcessTimes{Created: timeOf(i.CreateTime), User: duration(i.UserTime), Kernel: duration(i.KernelTime)},
		Memory: ProcessMemory{
			Commit: max(i.PrivatePageCount, i.PagefileUsage), WorkingSet: i.WorkingSetSize, PageFaults: i.PageFaultCount,
			// A running process has a private page: 0 means that the kernel does not count them.
			PrivateWorkingSet: i.WorkingSetPrivateSize, PrivateKnown: i.WorkingSetPrivateSize != 0,
		},
	}
	if length := uint64(i.ImageName.Length); length != 0 {
		from := i.ImageName.Buffer - base
		if i.ImageName.Buffer < base || from > uint64(len(buf)) || length > uint64(len(buf))-from {
			return p, errMalformed
		}
		p.Image = lastElement(buf[from:][:length])
	}
	return p, nil
}
