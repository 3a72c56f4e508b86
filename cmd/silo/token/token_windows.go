package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procCreateRestrictedToken = windows.NewLazySystemDLL("advapi32.dll").NewProc("CreateRestrictedToken")

// keptPrivilege stays in every token: without it no path can be opened.
const keptPrivilege = "SeChangeNotifyPrivilege"

// levels are the integrity levels by their relative identifier.
//
// https://learn.microsoft.com/windows/win32/secauthz/mandatory-integrity-control
var levels = map[string]uint32{"untrusted": 0, "low": 0x1000, "medium": 0x2000, "high": 0x3000, "system": 0x4000}

// Token is a primary token.
type Token struct{ token windows.Token }

// Handle is the value for jobobject.ProcessOptions; 0 for a nil Token.
func (t *Token) Handle() uintptr {
	if t == nil {
		return 0
	}
	return uintptr(t.token)
}

// Close closes the token. It does nothing on a nil Token.
func (t *Token) Close() error {
	if t == nil {
		return nil
	}
	return t.token.Close()
}

// New makes a token that is the user's without what r removes. Close it after use. It returns an error when the kernel
// has not removed all of that.
//
//	BOOL CreateRestrictedToken(HANDLE ExistingTokenHandle, DWORD Flags, DWORD DisableSidCount, PSID_AND_ATTRIBUTES SidsToDisable,
//	    DWORD DeletePrivilegeCount, PLUID_AND_ATTRIBUTES PrivilegesToDelete, DWORD RestrictedSidCount,
//	    PSID_AND_ATTRIBUTES SidsToRestrict, PHANDLE NewTokenHandle);
//
// https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-createrestrictedtoken
func New(r *Restriction) (*Token, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	own, err := r.base()
	if err != nil {
		return nil, err
	}
	if !r.removes() {
		return &Token{own}, nil
	}
	defer own.Close() //nolint:errcheck // it was only read
	sids, err := lookupSIDs(r.SIDs)
	if err != nil {
		return nil, err
	}
	names, err := r.unwanted(own)
	if err != nil {
		return nil, err
	}
	privileges, err := lookupPrivileges(names)
	if err != nil {
		return nil, err
	}
	t := new(Token)
	ok, _, err := procCreateRestrictedToken.Call(uintptr(own), 0,
		uintptr(len(sids)), uintptr(unsafe.Pointer(unsafe.SliceData(sids))),
		uintptr(len(privileges)), uintptr(unsafe.Pointer(unsafe.SliceData(privileges))), 0, 0, uintptr(unsafe.Pointer(&t.token)))
	if ok == 0 {
		return nil, fmt.Errorf("create restricted token: %w", err)
	}
	if r.Integrity != "" {
		if err := t.lower(levels[r.Integrity]); err != nil {
			return nil, fmt.Errorf("set integrity %s: %w", r.Integrity, joinClose(err, t))
		}
	}
	if err := t.verify(names, r); err != nil {
		return nil, joinClose(err, t)
	}
	return t, nil
}

// unwanted returns the privileges to remove, one by one: Wine ignores the flag for all of them.
func (r *Restriction) unwanted(own windows.Token) ([]string, error) {
	if !r.AllPrivileges {
		return r.Privileges, nil
	}
	all, err := privileges(own)
	return slices.DeleteFunc(all, func(name string) bool { return name == keptPrivilege }), err
}

// verify reads the token back.
func (t *Token) verify(gone []string, r *Restriction) error {
	left, err := privileges(t.token)
	if err != nil {
		return err
	}
	for _, name := range gone {
		if slices.Contains(left, name) {
			return fmt.Errorf("remove privilege %s: the token still has it: %w", name, errors.ErrUnsupported)
		}
	}
	level, err := integrity(t.token)
	if err != nil {
		return err
	}
	if r.Integrity != "" && level != r.Integrity {
		return fmt.Errorf("set integrity %s: the token still has %s: %w", r.Integrity, level, errors.ErrUnsupported)
	}
	return nil
}

func joinClose(err error, t *Token) error {
	if cerr := t.Close(); cerr != nil {
		return fmt.Errorf("%w; close token: %w", err, cerr)
	}
	return err
}

func lookupSIDs(names []string) ([]windows.SIDAndAttributes, error) {
	var list []windows.SIDAndAttributes
	for _, name := range names {
		sid, err := windows.StringToSid(name)
		if err != nil {
			sid, _, _, err = windows.LookupSID("", name)
		}
		if err != nil {
			return nil, fmt.Errorf("look up account %q: %w", name, err)
		}
		list = append(list, windows.SIDAndAttributes{Sid: sid})
	}
	return list, nil
}

func lookupPrivileges(names []string) ([]windows.LUIDAndAttributes, error) {
	var list []windows.LUIDAndAttributes
	for _, name := range names {
		text, err := windows.UTF16PtrFromString(name)
		if err != nil {
			return nil, err
		}
		var p windows.LUIDAndAttributes
		if err := windows.LookupPrivilegeValue(nil, text, &p.Luid); err != nil {
			return nil, fmt.Errorf("look up privilege %q: %w", name, err)
		}
		list = append(list, p)
	}
	return list, nil
}

// lower sets the integrity level.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-token_mandatory_label
func (t *Token) lower(rid uint32) error {
	sid, err := windows.StringToSid(fmt.Sprintf("S-1-16-%d", rid))
	if err != nil {
		return err
	}
	label := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: sid, Attributes: windows.SE_GROUP_INTEGRITY}}
	return windows.SetTokenInformation(t.token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&label)), label.Size())
}

// Own describes the token of this process.
func Own() (Facts, error) {
	var t windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY, &t); err != nil {
		return Facts{}, fmt.Errorf("open the token of this process: %w", err)
	}
	defer t.Close() //nolint:errcheck // it was only read
	f := Facts{Elevated: t.IsElevated(), Privileges: []string{}, DenyOnly: []string{}}
	user, err := t.GetTokenUser()
	if err != nil {
		return f, fmt.Errorf("read user of token: %w", err)
	}
	f.User = user.User.Sid.String()
	groups, err := t.GetTokenGroups()
	if err != nil {
		return f, fmt.Errorf("read groups of token: %w", err)
	}
	for _, g := range groups.AllGroups() {
		if g.Attributes&windows.SE_GROUP_USE_FOR_DENY_ONLY != 0 {
			f.DenyOnly = append(f.DenyOnly, g.Sid.String())
		}
	}
	if f.Integrity, err = integrity(t); err != nil {
		return f, err
	}
	f.Privileges, err = privileges(t)
	return f, err
}

// information reads a class of a token whose size only the kernel knows.
func information(t windows.Token, class uint32) ([]uint64, error) {
	buffer := make([]uint64, 1<<10)
	var n uint32
	err := windows.GetTokenInformation(t, class, (*byte)(unsafe.Pointer(&buffer[0])), uint32(len(buffer)*8), &n)
	return buffer, err
}

func integrity(t windows.Token) (string, error) {
	buffer, err := information(t, windows.TokenIntegrityLevel)
	if err != nil {
		return "", fmt.Errorf("read integrity of token: %w", err)
	}
	sid := (*windows.Tokenmandatorylabel)(unsafe.Pointer(&buffer[0])).Label.Sid
	return integrityName(sid.SubAuthority(uint32(sid.SubAuthorityCount()) - 1)), nil
}

func privileges(t windows.Token) ([]string, error) {
	buffer, err := information(t, windows.TokenPrivileges)
	if err != nil {
		return nil, fmt.Errorf("read privileges of token: %w", err)
	}
	list := []string{}
	for _, p := range (*windows.Tokenprivileges)(unsafe.Pointer(&buffer[0])).AllPrivileges() {
		name, err := privilegeName(p.Luid)
		if err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, nil
}

var procLookupPrivilegeName = windows.NewLazySystemDLL("advapi32.dll").NewProc("LookupPrivilegeNameW")

// privilegeName returns the name of a privilege.
//
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lookupprivilegenamew
func privilegeName(luid windows.LUID) (string, error) {
	var text [64]uint16
	n := uint32(len(text))
	ok, _, err := procLookupPrivilegeName.Call(0, uintptr(unsafe.Pointer(&luid)), uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(&n)))
	if ok == 0 {
		return "", fmt.Errorf("look up the name of a privilege: %w", err)
	}
	return strings.Clone(windows.UTF16ToString(text[:])), nil
}

func integrityName(rid uint32) string {
	for name, level := range levels {
		if level == rid {
			return name
		}
	}
	return fmt.Sprintf("%#x", rid)
}
