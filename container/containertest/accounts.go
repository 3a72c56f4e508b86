package containertest

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/siloshim/siloshim/container/hostprocess"
)

var _ hostprocess.Accounts = (*Machine)(nil)

// ErrLogon is returned for an unknown user or a wrong password.
var ErrLogon = errors.New("the user name or password is incorrect")

// account is a local user.
type account struct{ password, group, comment string }

// groups are the local groups of the machine.
var groups = map[string]bool{"Administrators": true, "Users": true, "agents": true}

// ManagedUser logs on without a password, like a group managed service account.
const ManagedUser = "managed$"

// IsGroup implements [hostprocess.Accounts].
func (m *Machine) IsGroup(name string) (bool, error) {
	return groups[name], m.call("IsGroup", name, "", "", "")
}

// Create implements [hostprocess.Accounts].
func (m *Machine) Create(name, password, group, comment string) error {
	const longest = 20
	if len(name) > longest || !groups[group] || len(password) < longest {
		return fmt.Errorf("create account %s in group %s: Windows refuses the name, the group or the password", name, group)
	}
	if err := m.call("Create", name+" in "+group, "", "account "+name, ""); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.accounts == nil {
		m.accounts = map[string]account{}
	}
	m.accounts[name] = account{password, group, comment}
	return nil
}

// List implements [hostprocess.Accounts].
func (m *Machine) List() (list []hostprocess.Account, err error) {
	if err := m.call("List", "accounts", "", "", ""); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, a := range m.accounts {
		list = append(list, hostprocess.Account{Name: name, Comment: a.comment})
	}
	return list, nil
}

// Delete implements [hostprocess.Accounts].
func (m *Machine) Delete(name string) error {
	if err := m.call("Delete", name, "", "", "account "+name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.accounts, name)
	return nil
}

// Logon implements [hostprocess.Accounts].
func (m *Machine) Logon(u hostprocess.User) (hostprocess.Token, error) {
	if err := m.call("Logon", u.Domain+`\`+u.Name, "", "", ""); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, is := m.accounts[u.Name]; !u.Service && u.Name != ManagedUser && (!is || a.password != u.Password) {
		return nil, ErrLogon
	}
	m.handles++
	t := &token{m: m, handle: m.handles, user: u.Name}
	m.held[t.name()] = true
	return t, nil
}

type token struct {
	m      *Machine
	handle uintptr
	user   string
	closed atomic.Bool
}

func (t *token) name() string { return fmt.Sprintf("token %d of %s", t.handle, t.user) }

// Handle implements [hostprocess.Token].
func (t *token) Handle() uintptr { return t.handle }

// Environment implements [hostprocess.Token].
func (t *token) Environment() ([]string, error) {
	return []string{"USERNAME=" + t.user, `Path=C:\bin`}, nil
}

// Close implements [hostprocess.Token].
func (t *token) Close() error {
	if t.closed.Swap(true) {
		return fs.ErrClosed
	}
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	delete(t.m.held, t.name())
	return nil
}
