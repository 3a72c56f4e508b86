package containertest

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"sync"

	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/internal/ownership"
)

var _ hostprocess.Files = (*Machine)(nil)

// fold returns the same text for all paths of one file.
func fold(path string) string { return strings.ToLower(strings.TrimRight(path, `\`)) }

// Put makes files, or directories for paths that end in a backslash.
func (m *Machine) Put(paths ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, path := range paths {
		m.putLocked(path)
	}
}

func (m *Machine) putLocked(path string) {
	if m.files == nil {
		m.files = map[string]bool{}
	}
	at := m.realLocked(path)
	m.files[at] = strings.HasSuffix(path, `\`)
	for {
		i := strings.LastIndexByte(at, '\\')
		if i < 0 {
			return
		}
		at = at[:i]
		m.files[at] = true
	}
}

// IsFile implements [hostprocess.Files].
func (m *Machine) IsFile(path string) bool {
	dir, is := m.look(path)
	return is && !dir
}

// IsDir implements [hostprocess.Files].
func (m *Machine) IsDir(path string) bool {
	dir, is := m.look(path)
	return is && dir
}

func (m *Machine) look(path string) (dir, is bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path = m.realLocked(path)
	if len(m.keepers[path]) > 0 {
		return true, true
	}
	dir, is = m.files[path]
	return dir, is
}

// realLocked converts a path below a mount point to one of the volume.
func (m *Machine) realLocked(path string) string {
	path = fold(path)
	for at, volume := range m.mounts {
		if rest, ok := strings.CutPrefix(path, at); ok && (rest == "" || rest[0] == '\\') {
			return fold(volume) + rest
		}
	}
	return path
}

// MakeDir implements [hostprocess.Files].
func (m *Machine) MakeDir(path string) error {
	if err := m.call("MakeDir", path, "", "", ""); err != nil {
		return err
	}
	m.Put(strings.TrimRight(path, `\`) + `\`)
	return nil
}

// Mount implements [hostprocess.Files].
func (m *Machine) Mount(volume, dir string) error {
	if err := m.call("Mount", dir, "", "mounted "+fold(dir), ""); err != nil {
		return fmt.Errorf("%w: %w", fs.ErrExist, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mounts == nil {
		m.mounts = map[string]string{}
	}
	m.mounts[fold(dir)] = volume
	return nil
}

// Unmount implements [hostprocess.Files].
func (m *Machine) Unmount(dir string) error {
	if err := m.call("Unmount", dir, "", "", "mounted "+fold(dir)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.mounts, fold(dir))
	return nil
}

// Link implements [hostprocess.Files].
func (m *Machine) Link(root, below, target string) error {
	return m.call("Link", strings.TrimRight(root, `\`)+below+" to "+target, "", "", "")
}

// Kept implements [hostprocess.Files].
func (m *Machine) Kept(dir string) (list []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	elements := strings.Split(strings.TrimRight(dir, `\`), `\`)
	for n := 2; n <= len(elements); n++ {
		at := strings.Join(elements[:n], `\`)
		if !m.files[fold(at)] {
			list = append(list, at)
		}
	}
	return list, nil
}

// CheckOwner implements [hostprocess.Files].
func (m *Machine) CheckOwner(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for foreign := range m.foreign {
		if rest, ok := strings.CutPrefix(fold(dir), foreign); ok && (rest == "" || rest[0] == '\\') {
			return fmt.Errorf("%s: %w", foreign, ownership.ErrForeign)
		}
	}
	return nil
}

// GiveAway makes another user the owner of a directory.
func (m *Machine) GiveAway(dir string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.foreign == nil {
		m.foreign = map[string]bool{}
	}
	m.foreign[fold(dir)] = true
	m.putLocked(strings.TrimRight(dir, `\`) + `\`)
}

// Keep implements [hostprocess.Files].
func (m *Machine) Keep(dir string) (io.Closer, error) {
	if err := m.call("Keep", dir, "", "", ""); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keepers == nil {
		m.keepers = map[string]map[*keeper]bool{}
	}
	k := &keeper{m: m, dir: fold(dir)}
	if m.keepers[k.dir] == nil {
		m.keepers[k.dir] = map[*keeper]bool{}
		m.held["kept "+k.dir] = true
	}
	m.keepers[k.dir][k] = true
	return k, nil
}

// Unkeep implements [hostprocess.Files].
func (m *Machine) Unkeep(dir string) error {
	if err := m.call("Unkeep", dir, "", "", ""); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = fold(dir)
	if len(m.keepers[dir]) > 0 {
		return nil
	}
	for other := range m.keepers {
		if strings.HasPrefix(other, dir+`\`) {
			return nil // it is not empty
		}
	}
	delete(m.keepers, dir)
	delete(m.held, "kept "+dir)
	return nil
}

// Die closes the keepers and tokens of a process that dies.
func (m *Machine) Die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, by := range m.keepers {
		clear(by)
	}
	maps.DeleteFunc(m.held, func(held string, _ bool) bool { return strings.HasPrefix(held, "token ") })
}

type keeper struct {
	m    *Machine
	dir  string
	once sync.Once
}

// Close implements [io.Closer].
func (k *keeper) Close() error {
	err := fs.ErrClosed
	k.once.Do(func() {
		k.m.mu.Lock()
		defer k.m.mu.Unlock()
		delete(k.m.keepers[k.dir], k)
		err = nil
	})
	return err
}
