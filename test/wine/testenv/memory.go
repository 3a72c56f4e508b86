package testenv

import (
	"bufio"
	"debug/pe"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Memory is the resident memory of a process of Wine that belongs to it alone, in bytes.
type Memory struct {
	// Image is the executable. Wine copies it; Windows maps the file and reads the pages that are used.
	Image uint64
	// Stacks are those of the threads. Wine writes to a megabyte of each; Windows does not.
	Stacks uint64
	// Rest is the heap, and the data of libraries.
	Rest uint64
	// Threads is the number of threads.
	Threads int
}

// Sum is the whole of the memory.
func (m Memory) Sum() uint64 { return m.Image + m.Stacks + m.Rest }

// errNoImage means that a process has not got its executable in memory yet.
var errNoImage = errors.New("the executable is not in memory")

// MemoryOf reads the memory of a process, by its Unix process id. The stack of a thread that runs at this moment, or that this
// user may not trace, is in the rest.
//
// https://docs.kernel.org/filesystems/proc.html
func MemoryOf(pid int) (Memory, error) {
	var m Memory
	dir := fmt.Sprintf("/proc/%d", pid)
	stacks, err := stackPointers(dir)
	if err != nil {
		return m, err
	}
	m.Threads = len(stacks)
	maps, err := os.Open(filepath.Join(dir, "smaps"))
	if err != nil {
		return m, err
	}
	defer maps.Close() // it was only read
	var region, image struct{ begin, end uint64 }
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "Anonymous:") {
			var kilobytes uint64
			if _, err := fmt.Sscanf(line, "Anonymous: %d", &kilobytes); err != nil {
				return m, fmt.Errorf("%s: %q: %w", maps.Name(), line, err)
			}
			switch {
			case region.begin >= image.begin && region.begin < image.end:
				m.Image += kilobytes << 10
			case within(stacks, region.begin, region.end):
				m.Stacks += kilobytes << 10
			default:
				m.Rest += kilobytes << 10
			}
		} else if n, _ := fmt.Sscanf(line, "%x-%x", &region.begin, &region.end); n == 2 && image.end == 0 && strings.HasSuffix(line, ".exe") {
			size, err := sizeOfImage(line[strings.IndexByte(line, '/'):])
			if err != nil {
				return m, err
			}
			image.begin, image.end = region.begin, region.begin+size // the first page is mapped from the file
		}
	}
	if err := lines.Err(); err != nil {
		return m, err
	}
	if image.end == 0 {
		return m, fmt.Errorf("%s: %w", dir, errNoImage)
	}
	return m, nil
}

// sizeOfImage is how much address space an executable takes.
func sizeOfImage(exe string) (uint64, error) {
	file, err := pe.Open(exe)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", exe, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	header, ok := file.OptionalHeader.(*pe.OptionalHeader64)
	if !ok {
		return 0, fmt.Errorf("%s is not a 64-bit executable", exe)
	}
	return uint64(header.SizeOfImage), nil
}

// stackPointers has one for each thread of a process, and 0 for one that is not known.
func stackPointers(dir string) ([]uint64, error) {
	threads, err := filepath.Glob(filepath.Join(dir, "task", "*", "syscall"))
	if err != nil {
		return nil, err
	}
	var all []uint64
	for _, path := range threads {
		var pointer uint64
		text, _ := os.ReadFile(path)                                 // it may have ended, or it is not ours to trace
		if fields := strings.Fields(string(text)); len(fields) > 2 { // the last two are the stack pointer and the program counter
			_, _ = fmt.Sscanf(fields[len(fields)-2], "0x%x", &pointer) // a number, by the documentation
		}
		all = append(all, pointer)
	}
	return all, nil
}

func within(pointers []uint64, begin, end uint64) bool {
	for _, p := range pointers {
		if p >= begin && p < end {
			return true
		}
	}
	return false
}
