package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

// severalGroupsBuild is Windows Server 2022, the first version where the processors of a container may be in several
// groups, or in another group than 0.
const severalGroupsBuild = 20348

// affinity plans the processors of a container. With best effort it leaves them out if this Windows does not support
// them.
func (u *Unsupported) affinity(h Machine, r specs.WindowsResources) ([]jobobject.GroupAffinity, error) {
	list, err := readAffinity(r)
	if err != nil || h.Build >= severalGroupsBuild || len(list) == 0 || len(list) == 1 && list[0].Group == 0 {
		return list, err
	}
	return nil, u.unsupported("windows.resources.cpu.affinity", fmt.Sprintf("Windows build %d supports processors of group 0 only; "+
		"name one mask of group 0, or use build %d or later", h.Build, severalGroupsBuild))
}

// readAffinity reads the processors, in the order of their groups.
func readAffinity(r specs.WindowsResources) (list []jobobject.GroupAffinity, err error) {
	if r.CPU == nil {
		return nil, nil
	}
	seen := map[uint32]bool{}
	for i, a := range r.CPU.Affinity {
		field := fmt.Sprintf("windows.resources.cpu.affinity[%d]", i)
		switch {
		case a.Mask == 0:
			return nil, fmt.Errorf("%s.mask is zero; name at least one processor: %w", field, errdefs.ErrInvalidArgument)
		case a.Group > math.MaxUint16:
			return nil, fmt.Errorf("%s.group %d: use 0 to %d: %w", field, a.Group, math.MaxUint16, errdefs.ErrInvalidArgument)
		case seen[a.Group]:
			return nil, fmt.Errorf("%s.group %d is named twice; join the masks: %w", field, a.Group, errdefs.ErrInvalidArgument)
		}
		seen[a.Group] = true
		list = append(list, jobobject.GroupAffinity{Mask: a.Mask, Group: uint16(a.Group)})
	}
	slices.SortFunc(list, func(a, b jobobject.GroupAffinity) int { return cmp.Compare(a.Group, b.Group) })
	return list, nil
}
