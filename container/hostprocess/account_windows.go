package hostprocess

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
)

var (
	modnetapi32 = windows.NewLazySystemDLL("netapi32.dll")

	procNetUserAdd              = modnetapi32.NewProc("NetUserAdd")
	procNetUserDel              = modnetapi32.NewProc("NetUserDel")
	procNetLocalGroupGetInfo    = modnetapi32.NewProc("NetLocalGroupGetInfo")
	procNetLocalGroupAddMembers = modnetapi32.NewProc("NetLocalGroupAddMembers")
)

// Errors of the network management functions, from lmerr.h.
const (
	nerrGroupNotFound = windows.Errno(2220)
	nerrUserNotFound  = windows.Errno(2221)
)

// Values of USER_INFO_1.
const (
	userPrivUser         = 1
	ufScript             = 0x1
	ufNormalAccount      = 0x200
	ufDontExpirePassword = 0x10000
)

// SystemAccounts has the accounts of this machine.
func SystemAccounts() Accounts { return systemAccounts{} }

type systemAccounts struct{}

//	NET_API_STATUS NetLocalGroupGetInfo(LPCWSTR servername, LPCWSTR groupname, DWORD level, LPBYTE *bufptr);
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netlocalgroupgetinfo.
func (systemAccounts) IsGroup(group string) (bool, error) {
	name, err := windows.UTF16PtrFromString(group)
	if err != nil {
		return false, err
	}
	var info *byte
	const level = 1 // the only documented level
	err = winsys.Errno(procNetLocalGroupGetInfo, 0, uintptr(unsafe.Pointer(name)), level, uintptr(unsafe.Pointer(&info)))
	if info != nil {
		_ = windows.NetApiBufferFree(info)
	}
	if errors.Is(err, nerrGroupNotFound) || errors.Is(err, windows.ERROR_NO_SUCH_ALIAS) || errors.Is(err, windows.ERROR_INVALID_NAME) {
		return false, nil
	}
	return err == nil, err
}

//	NET_API_STATUS NetUserAdd(LPCWSTR servername, DWORD level, LPBYTE buf, LPDWORD parm_err);
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netuseradd.
func (a systemAccounts) Create(name, password, group, comment string) error {
	user := userInfo1{priv: userPrivUser, flags: ufScript | ufNormalAccount | ufDontExpirePassword}
	text, err := winsys.Strings(name, password, comment)
	if err != nil {
		return err
	}
	user.name, user.password, user.comment = text[0], text[1], text[2]
	if err := winsys.Errno(procNetUserAdd, 0, 1, uintptr(unsafe.Pointer(&user)), 0); err != nil {
		return fmt.Errorf("add the user: %w", err)
	}
	if err := addMember(name, group); err != nil {
		return errors.Join(fmt.Errorf("add the user to the group: %w", err), a.Delete(name))
	}
	return nil
}

// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netuserenum.
func (systemAccounts) List() (list []Account, err error) {
	const level, normalAccounts, whole = 1, 2, 0xffffffff
	for resume, more := uint32(0), true; more; {
		var buf *byte
		var n, total uint32
		err := windows.NetUserEnum(nil, level, normalAccounts, &buf, whole, &n, &total, &resume)
		if more = errors.Is(err, windows.ERROR_MORE_DATA); err != nil && !more {
			return nil, err
		}
		for _, u := range unsafe.Slice((*userInfo1)(unsafe.Pointer(buf)), n) {
			list = append(list, Account{windows.UTF16PtrToString(u.name), windows.UTF16PtrToString(u.comment)})
		}
		_ = windows.NetApiBufferFree(buf)
	}
	return list, nil
}

// addMember names the user by SID. A name would need the domain, which on a domain controller is not that of the
// computer.
//
//	NET_API_STATUS NetLocalGroupAddMembers(LPCWSTR servername, LPCWSTR groupname, DWORD level, LPBYTE buf, DWORD totalentries);
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netlocalgroupaddmembers.
func addMember(user, group string) error {
	sid, _, kind, err := windows.LookupSID("", user)
	if err != nil {
		return fmt.Errorf("look up the user's SID: %w", err)
	}
	if kind != windows.SidTypeUser {
		return fmt.Errorf("look up the user's SID: %s has type %d, not %d (user)", sid, kind, windows.SidTypeUser)
	}
	name, err := windows.UTF16PtrFromString(group)
	if err != nil {
		return err
	}
	const level = 0
	members := [...]localGroupMembersInfo0{{sid: unsafe.Pointer(sid)}}
	return winsys.Errno(procNetLocalGroupAddMembers, 0, uintptr(unsafe.Pointer(name)), level,
		uintptr(unsafe.Pointer(&members[0])), uintptr(len(members)))
}

//	NET_API_STATUS NetUserDel(LPCWSTR servername, LPCWSTR username);
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netuserdel.
func (systemAccounts) Delete(user string) error {
	name, err := windows.UTF16PtrFromString(user)
	if err != nil {
		return err
	}
	if err := winsys.Errno(procNetUserDel, 0, uintptr(unsafe.Pointer(name))); err != nil && !errors.Is(err, nerrUserNotFound) {
		return err
	}
	return nil
}

var procLogonUser = windows.NewLazySystemDLL("advapi32.dll").NewProc("LogonUserW")

// Values of LogonUserW's dwLogonType and dwLogonProvider.
const (
	logon32LogonInteractive = 2
	logon32LogonService     = 5
	logon32ProviderDefault  = 0
)

// token is a token of this machine. The zero value is that of this process.
type token struct{ handle windows.Token }

func ownToken() Token { return token{} }

//	BOOL LogonUserW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword,
//	                DWORD dwLogonType, DWORD dwLogonProvider, PHANDLE phToken);
//
// See https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-logonuserw.
func (systemAccounts) Logon(u User) (Token, error) {
	kind := uintptr(logon32LogonInteractive)
	if u.Service {
		kind = logon32LogonService
	}
	text, err := winsys.Strings(u.Name, u.Domain, u.Password)
	if err != nil {
		return nil, err
	}
	name, domain, password := text[0], text[1], text[2]
	if u.Domain == "" {
		domain = nil
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

func (t token) Handle() uintptr { return uintptr(t.handle) }

// Environment implements [Token]. It never returns the environment of this process, which contains containerd's
// addresses.
func (t token) Environment() ([]string, error) {
	if t.handle == 0 {
		var own token
		err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY|windows.TOKEN_DUPLICATE, &own.handle)
		if err != nil {
			return nil, fmt.Errorf("open the token of this process: %w", err)
		}
		env, err := own.Environment()
		return env, errors.Join(err, own.Close())
	}
	env, err := t.handle.Environ(false)
	if err != nil {
		return nil, fmt.Errorf("read the environment of the user: %w", err)
	}
	return env, nil
}

func (t token) Close() error {
	if t.handle == 0 {
		return nil
	}
	return t.handle.Close()
}
