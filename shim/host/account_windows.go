package host

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
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

// windowsAccounts are those of this machine.
type windowsAccounts struct{}

// IsGroup implements [Accounts].
//
//	NET_API_STATUS NetLocalGroupGetInfo(LPCWSTR servername, LPCWSTR groupname, DWORD level, LPBYTE *bufptr);
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netlocalgroupgetinfo.
func (windowsAccounts) IsGroup(group string) (bool, error) {
	name, err := windows.UTF16PtrFromString(group)
	if err != nil {
		return false, err
	}
	var info *byte
	const level = 1 // the only one that is documented
	err = netCall(procNetLocalGroupGetInfo, 0, uintptr(unsafe.Pointer(name)), level, uintptr(unsafe.Pointer(&info)))
	if info != nil {
		_ = windows.NetApiBufferFree(info)
	}
	if errors.Is(err, nerrGroupNotFound) || errors.Is(err, windows.ERROR_NO_SUCH_ALIAS) || errors.Is(err, windows.ERROR_INVALID_NAME) {
		return false, nil
	}
	return err == nil, err
}

// Create implements [Accounts].
//
//	NET_API_STATUS NetUserAdd(LPCWSTR servername, DWORD level, LPBYTE buf, LPDWORD parm_err);
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netuseradd.
func (a windowsAccounts) Create(name, password, group, comment string) error {
	user := userInfo1{priv: userPrivUser, flags: ufScript | ufNormalAccount | ufDontExpirePassword}
	for _, field := range []struct {
		at   **uint16
		text string
	}{{&user.name, name}, {&user.password, password}, {&user.comment, comment}} {
		var err error
		if *field.at, err = windows.UTF16PtrFromString(field.text); err != nil {
			return err
		}
	}
	if err := netCall(procNetUserAdd, 0, 1, uintptr(unsafe.Pointer(&user)), 0); err != nil {
		return fmt.Errorf("add the user: %w", err)
	}
	if err := addMember(name, group); err != nil {
		return errors.Join(fmt.Errorf("add the user to the group: %w", err), a.Delete(name))
	}
	return nil
}

// List implements [Accounts].
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netuserenum.
func (windowsAccounts) List() (list []Account, err error) {
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

// addMember names the user by SID: a name would need its domain, which on a domain controller is not the computer's.
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
		return fmt.Errorf("look up the user's SID: %s has type %d, not %d: it is no user", sid, kind, windows.SidTypeUser)
	}
	name, err := windows.UTF16PtrFromString(group)
	if err != nil {
		return err
	}
	const level = 0
	members := [...]localGroupMembersInfo0{{sid: unsafe.Pointer(sid)}}
	return netCall(procNetLocalGroupAddMembers, 0, uintptr(unsafe.Pointer(name)), level,
		uintptr(unsafe.Pointer(&members[0])), uintptr(len(members)))
}

// Delete implements [Accounts].
//
//	NET_API_STATUS NetUserDel(LPCWSTR servername, LPCWSTR username);
//
// See https://learn.microsoft.com/windows/win32/api/lmaccess/nf-lmaccess-netuserdel.
func (windowsAccounts) Delete(user string) error {
	name, err := windows.UTF16PtrFromString(user)
	if err != nil {
		return err
	}
	if err := netCall(procNetUserDel, 0, uintptr(unsafe.Pointer(name))); err != nil && !errors.Is(err, nerrUserNotFound) {
		return err
	}
	return nil
}

// netCall calls a function that returns an error code. What args point to stays where it is for the call if it is
// converted in the call itself.
//
//go:uintptrescapes
func netCall(p *windows.LazyProc, args ...uintptr) error {
	if err := p.Find(); err != nil {
		return err
	}
	if r, _, _ := p.Call(args...); r != 0 {
		return windows.Errno(r)
	}
	return nil
}
