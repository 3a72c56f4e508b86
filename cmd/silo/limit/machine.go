package limit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// Machine is the processors of a machine.
type Machine struct {
	Groups []int  `json:"groups"` // the number of processors of each processor group
	Nodes  []Node `json:"nodes"`  // by the number of the NUMA node
	MHz    uint64 `json:"mhz"`    // the speed of a processor; 0 is unknown
	Build  uint32 `json:"build"`  // of Windows; 0 is unknown
}

// Node is the processors of a NUMA node, none where the node has memory alone.
type Node struct {
	Mask  uint64
	Group uint16 // the first of its groups
	// More are those in other groups. Since Windows Server 2022 a node may be in several.
	More []jobobject.GroupAffinity `json:",omitempty"`
}

// newNodes queries the processors of the nodes from 0 to highest. Their numbers may have gaps.
func newNodes(highest uint32, query func(node uint16) []jobobject.GroupAffinity) []Node {
	nodes := make([]Node, 0, highest+1)
	for n := range highest + 1 {
		var node Node
		for _, a := range query(uint16(n)) {
			switch {
			case a.Mask == 0:
			case node.Mask == 0:
				node.Mask, node.Group = a.Mask, a.Group
			default:
				node.More = append(node.More, a)
			}
		}
		nodes = append(nodes, node)
	}
	return nodes
}

// oneNode has the processors of all groups, for a machine whose nodes are unknown.
func oneNode(groups []int) []Node {
	all := func(uint16) (list []jobobject.GroupAffinity) {
		for g, size := range groups {
			list = append(list, jobobject.GroupAffinity{Mask: mask(size), Group: uint16(g)})
		}
		return list
	}
	return newNodes(0, all)
}

// Processors is how many logical processors there are, in all groups.
func (m Machine) Processors() int {
	n := 0
	for _, g := range m.Groups {
		n += g
	}
	return max(1, n)
}

// Affinity reads a set of processors. It takes
//
//	4           the first four processors
//	0x3C        a mask in group 0
//	n1          NUMA node 1
//	g1:0xF      a mask in group 1
//	n0:0x3      a mask counted from the first processor of a node
//
// and several of them, separated by commas. A processor that the machine does not have is an error.
func (m Machine) Affinity(text string) ([]jobobject.GroupAffinity, error) {
	masks := make([]uint64, len(m.Groups))
	for part := range strings.SplitSeq(text, ",") {
		list, err := m.affinityPart(strings.ToLower(strings.TrimSpace(part)))
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			if int(a.Group) >= len(masks) || a.Mask&^mask(m.Groups[a.Group]) != 0 {
				return nil, fmt.Errorf("%q names processors that this machine does not have (groups of %v)", part, m.Groups)
			}
			masks[a.Group] |= a.Mask
		}
	}
	var list []jobobject.GroupAffinity
	for g, bits := range masks {
		if bits != 0 {
			list = append(list, jobobject.GroupAffinity{Mask: bits, Group: uint16(g)})
		}
	}
	return list, m.checkGroups(text, list)
}

// checkGroups refuses groups other than 0 before Windows Server 2022: a job runs in group 0 alone there.
func (m Machine) checkGroups(text string, list []jobobject.GroupAffinity) error {
	const server2022 = 20348
	if m.Build == 0 || m.Build >= server2022 || len(list) == 1 && list[0].Group == 0 {
		return nil
	}
	return fmt.Errorf("%q is not in processor group 0; that needs Windows build %d, this is build %d", text, server2022, m.Build)
}

func (m Machine) affinityPart(part string) ([]jobobject.GroupAffinity, error) {
	where, bits, both := strings.Cut(part, ":")
	if !both && (where == "" || where[0] != 'n') {
		where, bits = "g0", part
	}
	if where == "" {
		where = "?"
	}
	number, err := strconv.ParseUint(where[1:], 10, 16)
	mask, merr := uint64(0), error(nil)
	if bits != "" {
		mask, merr = strconv.ParseUint(strings.TrimPrefix(bits, "0x"), 16, 64)
	}
	switch {
	case !both && bits != "" && !strings.HasPrefix(bits, "0x"):
		return m.first(part)
	case err != nil || merr != nil || both && mask == 0:
	case where[0] == 'g' && mask != 0:
		return []jobobject.GroupAffinity{{Mask: mask, Group: uint16(number)}}, nil
	case where[0] == 'n':
		return m.ofNode(number, mask, both)
	}
	return nil, fmt.Errorf("%q is not a count, a mask such as 0x3, a node such as n0, or g1:0xF", part)
}

// first returns the first count processors.
func (m Machine) first(count string) ([]jobobject.GroupAffinity, error) {
	n, err := parseWhole(count, 1, uint64(m.Processors()))
	if err != nil {
		return nil, err
	}
	var list []jobobject.GroupAffinity
	for g, size := range m.Groups {
		take := min(int(n), size)
		if take > 0 {
			list = append(list, jobobject.GroupAffinity{Mask: mask(take), Group: uint16(g)})
		}
		n -= uint64(take)
	}
	return list, nil
}

func (m Machine) ofNode(number, bits uint64, masked bool) ([]jobobject.GroupAffinity, error) {
	if number >= uint64(len(m.Nodes)) {
		return nil, fmt.Errorf("NUMA node %d: this machine has %d", number, len(m.Nodes))
	}
	node := m.Nodes[number]
	switch {
	case node.Mask == 0:
		return nil, fmt.Errorf("NUMA node %d has no processors", number)
	case !masked:
		return append([]jobobject.GroupAffinity{{Mask: node.Mask, Group: node.Group}}, node.More...), nil
	case len(node.More) > 0:
		return nil, fmt.Errorf("NUMA node %d is in several processor groups; use a mask of each, such as g%d:0xF", number, node.Group)
	}
	first := lowest(node.Mask)
	shifted := bits << first
	if shifted>>first != bits || shifted&^node.Mask != 0 {
		return nil, fmt.Errorf("mask %#x is larger than NUMA node %d", bits, number)
	}
	return []jobobject.GroupAffinity{{Mask: shifted, Group: node.Group}}, nil
}

func mask(n int) uint64 {
	if n >= 64 {
		return ^uint64(0)
	}
	return 1<<n - 1
}

func lowest(bits uint64) int {
	for i := range 64 {
		if bits>>i&1 == 1 {
			return i
		}
	}
	return 0
}
