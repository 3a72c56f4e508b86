package hostprocess

import (
	"structs"
	"unsafe"
)

// The structures that Windows reads or writes. They are declared for every system so that their layout is tested on
// each.

// userInfo1 is USER_INFO_1.
//
// https://learn.microsoft.com/windows/win32/api/lmaccess/ns-lmaccess-user_info_1
type userInfo1 struct {
	_              structs.HostLayout
	name, password *uint16
	passwordAge    uint32
	priv           uint32
	homeDir        *uint16
	comment        *uint16
	flags          uint32
	scriptPath     *uint16
}

// localGroupMembersInfo0 is LOCALGROUP_MEMBERS_INFO_0.
//
// https://learn.microsoft.com/windows/win32/api/lmaccess/ns-lmaccess-localgroup_members_info_0
type localGroupMembersInfo0 struct {
	_   structs.HostLayout
	sid unsafe.Pointer
}
