//go:build !windows

package hostprocess

import (
	"fmt"
	"io"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/jobobject"
)

// SystemFiles has the files of this machine. Only Windows has volumes; releasing one succeeds elsewhere.
func SystemFiles() Files { return systemFiles{} }

type systemFiles struct{ portableFiles }

var errNoVolumes = fmt.Errorf("volumes require Windows: %w", errdefs.ErrNotImplemented)

func (systemFiles) Mount(volume, dir string) error { return errNoVolumes }
func (systemFiles) Unmount(string) error           { return nil }
func (systemFiles) Kept(string) ([]string, error)  { return nil, errNoVolumes }
func (systemFiles) Keep(string) (io.Closer, error) { return nil, errNoVolumes }
func (systemFiles) Unkeep(string) error            { return nil }

// SystemAccounts has the accounts of this machine. Only Windows has them; deleting one succeeds elsewhere.
func SystemAccounts() Accounts { return systemAccounts{} }

type systemAccounts struct{}

var errNoAccounts = fmt.Errorf("accounts require Windows: %w", errdefs.ErrNotImplemented)

func (systemAccounts) IsGroup(string) (bool, error)                       { return false, nil }
func (systemAccounts) Create(name, password, group, comment string) error { return errNoAccounts }
func (systemAccounts) List() ([]Account, error)                           { return nil, nil }
func (systemAccounts) Delete(string) error                                { return nil }
func (systemAccounts) Logon(User) (Token, error)                          { return nil, errNoAccounts }

type token struct{}

func ownToken() Token { return token{} }

func (token) Handle() uintptr                { return 0 }
func (token) Environment() ([]string, error) { return nil, nil }
func (token) Close() error                   { return nil }

func suspendProcess(uint32) (resume func() error, err error) { return nil, jobobject.ErrNotSupported }
