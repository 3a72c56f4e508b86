//go:build !windows

package host

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// windowsAccounts has nobody here; deleting who is not there succeeds.
type windowsAccounts struct{}

var errNoAccounts = fmt.Errorf("accounts are of Windows: %w", errdefs.ErrNotImplemented)

func (windowsAccounts) IsGroup(string) (bool, error)                       { return false, nil }
func (windowsAccounts) Create(name, password, group, comment string) error { return errNoAccounts }
func (windowsAccounts) List() ([]Account, error)                           { return nil, nil }
func (windowsAccounts) Delete(string) error                                { return nil }
func (windowsAccounts) Logon(User) (Token, error)                          { return nil, errNoAccounts }

// token is the shim's own user.
type token struct{}

func ownToken() Token { return token{} }

func (token) Handle() uintptr                { return 0 }
func (token) Environment() ([]string, error) { return nil, nil }
func (token) Close() error                   { return nil }
