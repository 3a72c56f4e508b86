package host

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procLogonUser = windows.NewLazySystemDLL("advapi32.dll").NewProc("LogonUserW")

// Values of LogonUserW's dwLogonType and dwLogonProvider.
const (
	logon32LogonInteractive = 2
	logon32LogonService     = 5
	logon32ProviderDefault  = 0
)

// token is a token of this machine. The zero value is the shim's own user.
type token struct{ handle windows.Token }

func ownToken() Token { return token{} }

// Logon implements [Accounts].
//
//	BOOL LogonUserW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword,
//	                DWORD dwLogonType, DWORD dwLogonProvider, PHANDLE phToken);
//
// See https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-logonuserw.
func (windowsAccounts) Logon(u User) (Token, error) {
	kind := uintptr(logon32LogonInteractive)
	if u.Service {
		kind = logon32LogonService
	}
	name, err := windows.UTF16PtrFromString(u.Name)
	if err != nil {
		return nil, err
	}
	domain, err := windows.UTF16PtrFromString(u.Domain)
	if err != nil {
		return nil, err
	}
	if u.Domain == "" {
		domain = nil
	}
	password, err := windows.UTF16PtrFromString(u.Password)
	if err != nil {
		return nil, err
	}
	if u.Service {
		password = nil
	}
	var t windows.Token
	ok, _, err := procLogonUser.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(domain)), uintptr(unsafe.Pointer(password)),
		kind, logon32ProviderDefault, uintptr(unsafe.Pointer(&t)))
	if ok == 0 {
		return nil, err
	}
	return token{t}, nil
}

// Handle implements [Token].
func (t token) Handle() uintptr { return uintptr(t.handle) }

// Environment implements [Token]: it is the user's own block. The shim's environment stays with the shim: containerd's
// addresses are in it.
func (t token) Environment() ([]string, error) {
	if t.handle == 0 {
		var own token
		err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY|windows.TOKEN_DUPLICATE, &own.handle)
		if err != nil {
			return nil, fmt.Errorf("open the shim's own token: %w", err)
		}
		env, err := own.Environment()
		return env, errors.Join(err, own.Close())
	}
	env, err := t.handle.Environ(false)
	if err != nil {
		return nil, fmt.Errorf("read the user's environment: %w", err)
	}
	return env, nil
}

// Close implements [Token].
func (t token) Close() error {
	if t.handle == 0 {
		return nil
	}
	return t.handle.Close()
}
