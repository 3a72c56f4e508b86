package limit

import (
	"runtime"
	"slices"
	"structs"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/siloshim/siloshim/jobobject"
)

var (
	modkernel32   = windows.NewLazySystemDLL("kernel32.dll")
	procGroups    = modkernel32.NewProc("GetActiveProcessorGroupCount")
	procHighest   = modkernel32.NewProc("GetNumaHighestNodeNumber")
	procNodeMask  = modkernel32.NewProc("GetNumaNodeProcessorMaskEx")
	procNodeMask2 = modkernel32.NewProc("GetNumaNodeProcessorMask2")
	processorPath = `HARDWARE\DESCRIPTION\System\CentralProcessor\0`
)

// maxGroups is more than any Windows has.
const maxGroups = 64

// ThisMachine returns the machine of this process. Where a query fails it has one group, no nodes, or a speed of 0.
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
	if !slices.ContainsFunc(m.Nodes, func(n Node) bool { return n.Mask != 0 }) {
		m.Nodes = oneNode(m.Groups)
	}
	return m
}

// groupAffinity is GROUP_AFFINITY.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-group_affinity
type groupAffinity struct {
	_        structs.HostLayout
	mask     uint64
	group    uint16
	reserved [3]uint16
}

func nodes() []Node {
	if procHighest.Find() != nil {
		return nil
	}
	var highest uint32
	if ok, _, _ := procHighest.Call(uintptr(unsafe.Pointer(&highest))); ok == 0 {
		return nil
	}
	switch {
	case procNodeMask2.Find() == nil:
		return newNodes(highest, nodeGroups)
	case procNodeMask.Find() == nil:
		return newNodes(highest, nodeGroup)
	}
	return nil
}

// nodeGroups queries the processors of a node in all of its groups.
//
//	BOOL GetNumaNodeProcessorMask2(USHORT NodeNumber, PGROUP_AFFINITY ProcessorMasks, USHORT ProcessorMaskCount, PUSHORT RequiredMaskCount);
//
// https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumanodeprocessormask2
func nodeGroups(node uint16) (list []jobobject.GroupAffinity) {
	var groups [maxGroups]groupAffinity
	var used uint16
	ok, _, _ := procNodeMask2.Call(uintptr(node), uintptr(unsafe.Pointer(&groups)), maxGroups, uintptr(unsafe.Pointer(&used)))
	if ok == 0 {
		return nil
	}
	for _, g := range groups[:min(used, maxGroups)] {
		list = append(list, jobobject.GroupAffinity{Mask: g.mask, Group: g.group})
	}
	return list
}

// nodeGroup is for Windows before Server 2022, where a node is in one group. From then on this call returns the first
// group alone.
//
//	BOOL GetNumaNodeProcessorMaskEx(USHORT Node, PGROUP_AFFINITY ProcessorMask);
//
// https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumanodeprocessormaskex
func nodeGroup(node uint16) []jobobject.GroupAffinity {
	var g groupAffinity
	if ok, _, _ := procNodeMask.Call(uintptr(node), uintptr(unsafe.Pointer(&g))); ok == 0 {
		return nil
	}
	return []jobobject.GroupAffinity{{Mask: g.mask, Group: g.group}}
}

// speed returns the nominal speed of the first processor, in MHz, as Nomad does.
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
