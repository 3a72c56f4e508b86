package token

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procLogonUser = windows.NewLazySystemDLL("advapi32.dll").NewProc("LogonUserW")

// Values of LogonUserW's dwLogonType and dwLogonProvider.
const (
	logonService    = 5
	providerDefault = 0
)

// base opens the token that the restriction is applied to. Close it after use.
func (r *Restriction) base() (windows.Token, error) {
	if r.User != "" {
		return logon(services[strings.ToUpper(r.User)])
	}
	var own windows.Token
	const access = windows.TOKEN_DUPLICATE | windows.TOKEN_ASSIGN_PRIMARY | windows.TOKEN_QUERY | windows.TOKEN_ADJUST_DEFAULT
	if err := windows.OpenProcessToken(windows.CurrentProcess(), access, &own); err != nil {
		return 0, fmt.Errorf("open the token of this process: %w", err)
	}
	return own, nil
}

// logon makes the token of a service account, and reads it back.
//
//	BOOL LogonUserW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword,
//	    DWORD dwLogonType, DWORD dwLogonProvider, PHANDLE phToken);
//
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-logonuserw
func logon(s service) (windows.Token, error) {
	name, err := windows.UTF16PtrFromString(s.name)
	if err != nil {
		return 0, err
	}
	domain, err := windows.UTF16PtrFromString("NT AUTHORITY")
	if err != nil {
		return 0, err
	}
	var t windows.Token
	ok, _, err := procLogonUser.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(domain)), 0,
		logonService, providerDefault, uintptr(unsafe.Pointer(&t)))
	if ok == 0 {
		return 0, fmt.Errorf("log on as NT AUTHORITY\\%s: %w", s.name, err)
	}
	// Wine returns success and another user's token: the program must not run as that user.
	user, err := t.GetTokenUser()
	if err != nil {
		return 0, joinClose(fmt.Errorf("log on as NT AUTHORITY\\%s: read the token back: %w", s.name, err), &Token{t})
	}
	if got := user.User.Sid.String(); got != s.sid {
		return 0, joinClose(fmt.Errorf("log on as NT AUTHORITY\\%s: the token is that of %s: %w", s.name, got, errors.ErrUnsupported), &Token{t})
	}
	return t, nil
}

// Environment returns the environment of the token's user.
//
// https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-createenvironmentblock
func (t *Token) Environment() ([]string, error) {
	env, err := t.token.Environ(false)
	if err != nil {
		return nil, fmt.Errorf("read the user's environment: %w", err)
	}
	return env, nil
}
