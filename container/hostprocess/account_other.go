//go:build !windows

package hostprocess

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// SystemAccounts has no account here; deleting one that is not there succeeds.
func SystemAccounts() Accounts { return systemAccounts{} }

type systemAccounts struct{}

var errNoAccounts = fmt.Errorf("accounts are of Windows: %w", errdefs.ErrNotImplemented)

func (systemAccounts) IsGroup(string) (bool, error)                       { return false, nil }
func (systemAccounts) Create(name, password, group, comment string) error { return errNoAccounts }
func (systemAccounts) List() ([]Account, error)                           { return nil, nil }
func (systemAccounts) Delete(string) error                                { return nil }
func (systemAccounts) Logon(User) (Token, error)                          { return nil, errNoAccounts }

// token is the shim's own user.
type token struct{}

func ownToken() Token { return token{} }

func (token) Handle() uintptr                { return 0 }
func (token) Environment() ([]string, error) { return nil, nil }
func (token) Close() error                   { return nil }
