package jobobject

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"
	"unicode/utf16"
	"unsafe"
)

func TestTimeOf(t *testing.T) {
	for ticks, want := range map[int64]time.Time{
		0:                      {},
		-1:                     {},
		ticksToUnix:            time.Unix(0, 0),
		ticksToUnix + 15000000: time.Unix(1, 500_000_000),
		1:                      time.Date(1601, 1, 1, 0, 0, 0, 100, time.UTC),
	} {
		if got := timeOf(ticks); !got.Equal(want) {
			t.Errorf("timeOf(%d) = %v, want %v", ticks, got, want)
		}
	}
	for ticks, want := range map[int64]time.Duration{-1: 0, 3: 300, math.MaxInt64: math.MaxInt64 / tick * tick} {
		if got := duration(ticks); got != want {
			t.Errorf("duration(%d) = %v, want %v", ticks, got, want)
		}
	}
}

const listBase = 0x7FF000

// systemList writes entries as the kernel does, each with its image right behind it.
func systemList(images ...string) []byte {
	var list []byte
	for i, image := range images {
		text := utf16.Encode([]rune(image))
		info := systemProcessInformation{
			UniqueProcessID: uint64(4 * (i + 1)), InheritedFromUniqueProcessID: 4, NumberOfThreads: 3, HandleCount: 5,
			CreateTime: ticksToUnix, UserTime: 20, KernelTime: 10, WorkingSetPrivateSize: 60, PrivatePageCount: 80,
			memoryCounters: memoryCounters{WorkingSetSize: 100, PageFaultCount: 9},
		}
		size := int(unsafe.Sizeof(info))
		info.ImageName = unicodeString{Length: uint16(2 * len(text)), Buffer: listBase + uint64(len(list)+size)}
		if i < len(images)-1 {
			info.NextEntryOffset = uint32(size + 2*len(text))
		}
		list = append(list, unsafe.Slice((*byte)(unsafe.Pointer(&info)), size)...)
		for _, u := range text {
			list = binary.LittleEndian.AppendUint16(list, u)
		}
	}
	return list
}

func TestDecodeSystemProcesses(t *testing.T) {
	got, err := decodeSystemProcesses(nil, systemList("", "Système.exe", `C:\odd\path.exe`), listBase)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	want := SystemProcess{
		Pid: 8, Parent: 4, Image: "Système.exe", Threads: 3, Handles: 5,
		Times:  ProcessTimes{Created: time.Unix(0, 0).UTC(), User: 2 * time.Microsecond, Kernel: time.Microsecond},
		Memory: ProcessMemory{Commit: 80, WorkingSet: 100, PrivateWorkingSet: 60, PageFaults: 9, PrivateKnown: true},
	}
	if got[1] != want {
		t.Errorf("entry = %+v, want %+v", got[1], want)
	}
	if got[0].Image != "" || got[2].Image != "path.exe" {
		t.Errorf("images = %q, %q", got[0].Image, got[2].Image)
	}
}

func TestDecodeSystemProcessesRefusesTornLists(t *testing.T) {
	whole := systemList("a.exe", "b.exe")
	change := func(at int, v uint32) []byte {
		torn := append([]byte(nil), whole...)
		binary.LittleEndian.PutUint32(torn[at:], v)
		return torn
	}
	for name, torn := range map[string][]byte{
		"empty":               nil,
		"short":               whole[:100],
		"ends in the second":  whole[:300],
		"next inside itself":  change(0, 8),
		"next beyond the end": change(0, 1<<30),
		"image before":        change(64, 1),
		"image beyond":        change(64, listBase+1<<20),
		"image longer":        change(56, 0xFFFE),
	} {
		if _, err := decodeSystemProcesses(nil, torn, listBase); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v, want errMalformed", name, err)
		}
	}
}

func TestDecodeImage(t *testing.T) {
	image := func(length uint16, text string) []byte {
		buf := binary.LittleEndian.AppendUint16(nil, length)
		buf = append(buf, make([]byte, 14)...)
		for _, u := range utf16.Encode([]rune(text)) {
			buf = binary.LittleEndian.AppendUint16(buf, u)
		}
		return buf
	}
	const path = `\Device\HarddiskVolume2\bin\tool.exe`
	if got, err := decodeImage(image(uint16(2*len(path)), path)); err != nil || got != "tool.exe" {
		t.Errorf("image = %q, %v", got, err)
	}
	for name, torn := range map[string][]byte{
		"empty": nil, "header": make([]byte, 15), "odd": image(3, "ab"), "longer": image(6, "ab"),
	} {
		if _, err := decodeImage(torn); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v, want errMalformed", name, err)
		}
	}
}

func FuzzDecodeSystemProcesses(f *testing.F) {
	f.Add(systemList("", "a.exe", `C:\b.exe`), uint64(listBase))
	f.Add([]byte{}, uint64(0))
	f.Fuzz(func(t *testing.T, buf []byte, base uint64) {
		list, err := decodeSystemProcesses(nil, buf, base)
		if most := len(buf) / int(unsafe.Sizeof(systemProcessInformation{})); len(list) > most {
			t.Errorf("%d entries in room for %d", len(list), most)
		}
		if err == nil && len(list) == 0 {
			t.Error("no entry and no error")
		}
	})
}

func FuzzDecodeImage(f *testing.F) {
	f.Add([]byte{4, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'a', 0, '\\', 0})
	f.Fuzz(func(t *testing.T, buf []byte) {
		if name, err := decodeImage(buf); err == nil && len(utf16.Encode([]rune(name))) > (len(buf)-16)/2 {
			t.Errorf("%q is longer than its buffer", name)
		}
	})
}
