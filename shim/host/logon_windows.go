package host

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procLogonUser = windows.NewLazySystemDLL("advapi32.dll").NewProc("LogonUserW")

// Values of LogonUserW's dwLogonType and dwLogonProvider.
const (
	logon32LogonService    = 5
	logon32ProviderDefault = 0
)

// logonService makes the token of a service account.
//
//	BOOL LogonUserW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword,
//	                DWORD dwLogonType, DWORD dwLogonProvider, PHANDLE phToken);
//
// See https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-logonuserw.
func logonService(account string) (token, error) {
	name, err := windows.UTF16PtrFromString(account)
	if err != nil {
		return token{}, err
	}
	domain, err := windows.UTF16PtrFromString("NT AUTHORITY")
	if err != nil {
		return token{}, err
	}
	var t windows.Token
	ok, _, err := procLogonUser.Call(
		uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(domain)), 0,
		logon32LogonService, logon32ProviderDefault, uintptr(unsafe.Pointer(&t)))
	if ok == 0 {
		return token{}, fmt.Errorf("log on as NT AUTHORITY\\%s: %w", account, err)
	}
	return token{handle: uintptr(t)}, nil
}

// Environment is the user's own block. The shim's environment stays with the shim: containerd's addresses are in it.
func (t token) Environment() ([]string, error) {
	user := windows.Token(t.handle)
	if user == 0 {
		err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY|windows.TOKEN_DUPLICATE, &user)
		if err != nil {
			return nil, fmt.Errorf("open the shim's own token: %w", err)
		}
		defer user.Close()
	}
	env, err := user.Environ(false)
	if err != nil {
		return nil, fmt.Errorf("read the user's environment: %w", err)
	}
	return env, nil
}

// Close gives the token back.
func (t token) Close() error {
	if t.handle == 0 {
		return nil
	}
	return windows.Token(t.handle).Close()
}
