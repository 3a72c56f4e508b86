package limit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
)

// TestNewNodes_SeveralGroupsAndGaps: the place of a node in the list is its number.
func TestNewNodes_SeveralGroupsAndGaps(t *testing.T) {
	told := map[uint16][]jobobject.GroupAffinity{
		0: {{Mask: 0xFF}, {Mask: 0xF, Group: 1}},
		2: {{}, {Mask: 0xF0, Group: 1}},
	}
	got := newNodes(2, func(node uint16) []jobobject.GroupAffinity { return told[node] })
	want := []Node{{Mask: 0xFF, More: []jobobject.GroupAffinity{{Mask: 0xF, Group: 1}}}, {}, {Mask: 0xF0, Group: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestOneNode_AllGroups(t *testing.T) {
	want := []Node{{Mask: 0xFF, More: []jobobject.GroupAffinity{{Mask: 0xF, Group: 1}}}}
	if diff := cmp.Diff(want, oneNode([]int{8, 4})); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}
