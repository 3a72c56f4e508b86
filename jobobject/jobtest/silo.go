package jobtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// silo is what makes a job a silo.
type silo struct {
	id       uint32
	server   *jobobject.ServerSilo
	mappings []jobobject.Mapping
}

// CreateSilo implements [jobobject.Kernel].
func (k *Kernel) CreateSilo(h jobobject.Handle) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := lookLocked[*job](k, "CreateSilo", h, uint32(jobobject.AccessSetAttributes))
	switch {
	case err != nil:
		return err
	case j.silo != nil || j.total != 0 || !j.limits.KillOnClose:
		return ErrInvalidParameter
	}
	j.silo = k.newSiloLocked()
	return nil
}

func (k *Kernel) newSiloLocked() *silo {
	k.lastSilo++
	return &silo{id: k.lastSilo}
}

// MakeServerSilo makes the job with this name the silo of a Windows Server
// container, as the Host Compute Service does. It reports whether there is one.
func (k *Kernel) MakeServerSilo(name string, s jobobject.ServerSilo) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.named[nameKey(name)]
	if j == nil {
		return false
	}
	if j.silo == nil {
		j.silo = k.newSiloLocked()
	}
	j.silo.server = &s
	return true
}

// Silo implements [jobobject.Kernel].
func (k *Kernel) Silo(h jobobject.Handle) (jobobject.Silo, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.siloLocked("Silo", h)
	if err != nil {
		return jobobject.Silo{}, err
	}
	s := jobobject.Silo{ID: j.silo.id, Processes: uint32(len(j.members))}
	j.chain(func(x *job) {
		if x != j && x.silo != nil && s.ParentID == 0 {
			s.ParentID = x.silo.id
		}
		s.InServerSilo = s.InServerSilo || x.silo != nil && x.silo.server != nil
	})
	return s, nil
}

func (k *Kernel) siloLocked(op string, h jobobject.Handle) (*job, error) {
	j, err := k.askLocked(op, h)
	if err == nil && j.silo == nil {
		err = jobobject.ErrNotSilo
	}
	return j, err
}

// ServerSilo implements [jobobject.Kernel].
func (k *Kernel) ServerSilo(h jobobject.Handle) (jobobject.ServerSilo, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.siloLocked("ServerSilo", h)
	if err == nil && j.silo.server == nil {
		err = jobobject.ErrNotSilo
	}
	if err != nil {
		return jobobject.ServerSilo{}, err
	}
	return *j.silo.server, nil
}

// Bind implements [jobobject.Kernel]. A root in use is refused.
func (k *Kernel) Bind(h jobobject.Handle, m *jobobject.Mapping) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.siloLocked("Bind", h)
	if err != nil {
		return err
	}
	if j.silo.mappingAt(m.Root) >= 0 && !m.Merged {
		return fmt.Errorf("mapping at %s: %w", m.Root, jobobject.ErrExist)
	}
	j.silo.mappings = append(j.silo.mappings, *m)
	return nil
}

// Unbind implements [jobobject.Kernel].
func (k *Kernel) Unbind(h jobobject.Handle, root string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j, err := k.siloLocked("Unbind", h)
	if err != nil {
		return err
	}
	i := j.silo.mappingAt(root)
	if i < 0 {
		return fmt.Errorf("mapping at %s: %w", root, jobobject.ErrNotExist)
	}
	j.silo.mappings = slices.Delete(j.silo.mappings, i, i+1)
	return nil
}

func (s *silo) mappingAt(root string) int {
	return slices.IndexFunc(s.mappings, func(m jobobject.Mapping) bool { return strings.EqualFold(m.Root, root) })
}

// Mappings returns what is bound in the silo with this name, oldest first.
func (k *Kernel) Mappings(name string) []jobobject.Mapping {
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.named[nameKey(name)]
	if j == nil || j.silo == nil {
		return nil
	}
	return slices.Clone(j.silo.mappings)
}
