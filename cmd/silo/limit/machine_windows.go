package limit

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/siloshim/siloshim/jobobject"
)

var (
	modkernel32   = windows.NewLazySystemDLL("kernel32.dll")
	procGroups    = modkernel32.NewProc("GetActiveProcessorGroupCount")
	procHighest   = modkernel32.NewProc("GetNumaHighestNodeNumber")
	procNodeMask2 = modkernel32.NewProc("GetNumaNodeProcessorMask2")
	procNodeMask  = modkernel32.NewProc("GetNumaNodeProcessorMaskEx")
	processorPath = `HARDWARE\DESCRIPTION\System\CentralProcessor\0`
)

// ThisMachine is the machine that this runs on. What Windows does not tell is left out: a machine of one group, a speed
// of 0.
//
// https://learn.microsoft.com/windows/win32/procthread/processor-groups
func ThisMachine() Machine {
	m := Machine{MHz: speed(), Build: windows.RtlGetVersion().BuildNumber}
	if procGroups.Find() == nil {
		count, _, _ := procGroups.Call()
		for g := range uint16(count) {
			m.Groups = append(m.Groups, int(windows.GetActiveProcessorCount(g)))
		}
	}
	if len(m.Groups) == 0 || m.Groups[0] == 0 {
		m.Groups = []int{runtime.NumCPU()}
	}
	m.Nodes = nodes()
	if len(m.Nodes) == 0 {
		m.Nodes = [][]jobobject.GroupAffinity{{{Mask: mask(m.Groups[0])}}}
	}
	return m
}

// nodes lists the processors of each NUMA node, one entry for each processor group that the node has a part in.
func nodes() [][]jobobject.GroupAffinity {
	if procHighest.Find() != nil {
		return nil
	}
	var highest uint32
	if ok, _, _ := procHighest.Call(uintptr(unsafe.Pointer(&highest))); ok == 0 {
		return nil
	}
	var list [][]jobobject.GroupAffinity
	for node := range uintptr(highest) + 1 {
		list = append(list, nodeProcessors(node))
	}
	return list
}

// groupAffinity is GROUP_AFFINITY.
type groupAffinity struct {
	mask     uint64
	group    uint16
	reserved [3]uint16
}

// nodeProcessors asks for all processors of a node, and on a Windows before Server 2022 for those in the node's primary
// group, which is all that can be had there.
//
//	BOOL GetNumaNodeProcessorMask2(USHORT NodeNumber, PGROUP_AFFINITY ProcessorMasks, USHORT ProcessorMaskCount,
//	    PUSHORT RequiredMaskCount);
//	BOOL GetNumaNodeProcessorMaskEx(USHORT Node, PGROUP_AFFINITY ProcessorMask);
//
// https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumanodeprocessormask2
// https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumanodeprocessormaskex
func nodeProcessors(node uintptr) (list []jobobject.GroupAffinity) {
	var masks [maxGroups]groupAffinity
	n := uint16(1)
	if procNodeMask2.Find() == nil {
		if ok, _, _ := procNodeMask2.Call(node, uintptr(unsafe.Pointer(&masks)), maxGroups, uintptr(unsafe.Pointer(&n))); ok == 0 {
			return nil
		}
	} else if procNodeMask.Find() != nil {
		return nil
	} else if ok, _, _ := procNodeMask.Call(node, uintptr(unsafe.Pointer(&masks))); ok == 0 {
		return nil
	}
	for _, a := range masks[:min(n, maxGroups)] {
		if a.mask != 0 {
			list = append(list, jobobject.GroupAffinity{Mask: a.mask, Group: a.group})
		}
	}
	return list
}

// maxGroups is the largest number of processor groups that any Windows has.
const maxGroups = 32

// speed is the nominal one of the first processor, in MHz, which is what Nomad counts with.
func speed() uint64 {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, processorPath, registry.QUERY_VALUE)
	if err != nil {
		return 0
	}
	defer key.Close() //nolint:errcheck // it was only read
	mhz, _, err := key.GetIntegerValue("~MHz")
	if err != nil {
		return 0
	}
	return mhz
}
