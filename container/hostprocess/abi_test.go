package hostprocess

import (
	"testing"
	"unsafe"
)

// TestLayout compares with the Windows SDK's headers for Win64.
func TestLayout(t *testing.T) {
	var (
		user   userInfo1
		member localGroupMembersInfo0
	)
	for _, f := range []struct {
		field     string
		got, want uintptr
	}{
		{"sizeof userInfo1", unsafe.Sizeof(user), 56},
		{"userInfo1.name", unsafe.Offsetof(user.name), 0},
		{"userInfo1.password", unsafe.Offsetof(user.password), 8},
		{"userInfo1.passwordAge", unsafe.Offsetof(user.passwordAge), 16},
		{"userInfo1.priv", unsafe.Offsetof(user.priv), 20},
		{"userInfo1.homeDir", unsafe.Offsetof(user.homeDir), 24},
		{"userInfo1.comment", unsafe.Offsetof(user.comment), 32},
		{"userInfo1.flags", unsafe.Offsetof(user.flags), 40},
		{"userInfo1.scriptPath", unsafe.Offsetof(user.scriptPath), 48},

		{"sizeof localGroupMembersInfo0", unsafe.Sizeof(member), 8},
	} {
		if f.got != f.want {
			t.Errorf("%s = %d, want %d", f.field, f.got, f.want)
		}
	}
}
