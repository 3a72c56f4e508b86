package limit

import (
	"testing"
	"unsafe"
)

func TestGroupAffinity_Layout_IsThatOfTheSDK(t *testing.T) {
	var g groupAffinity
	for name, have := range map[string][2]uintptr{
		"size": {unsafe.Sizeof(g), 16}, "Mask": {unsafe.Offsetof(g.mask), 0}, "Group": {unsafe.Offsetof(g.group), 8}, "Reserved": {unsafe.Offsetof(g.reserved), 10},
	} {
		if have[0] != have[1] {
			t.Errorf("%s is %d, want %d", name, have[0], have[1])
		}
	}
}

// TestThisMachine_NodesHaveAllProcessors: each processor is in one node.
func TestThisMachine_NodesHaveAllProcessors(t *testing.T) {
	m := ThisMachine()
	var all []uint64
	for range m.Groups {
		all = append(all, 0)
	}
	for i, n := range m.Nodes {
		if all[n.Group]&n.Mask != 0 {
			t.Errorf("node %d has processors of another: %+v", i, m.Nodes)
		}
		all[n.Group] |= n.Mask
		for _, a := range n.More {
			all[a.Group] |= a.Mask
		}
	}
	for g, size := range m.Groups {
		if all[g] != mask(size) {
			t.Errorf("group %d: the nodes have %#x of %d processors", g, all[g], size)
		}
	}
}
