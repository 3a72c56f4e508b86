package hostprocess

import (
	"strings"
	"testing"
	"unsafe"
)

// The offsets are those of the Windows SDK for Win64.
func TestStructures_Layout_MatchesWindows(t *testing.T) {
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

func TestAccountName_Containers_DifferAndFitWindows(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range [][2]string{{"ns", "c"}, {"ns", "d"}, {"other", "c"}, {"k8s.io", strings.Repeat("x", 76)}} {
		name := accountName(c[0], c[1])
		if len(name) != 20 || !strings.HasPrefix(name, accountPrefix) || seen[name] {
			t.Errorf("%s/%s has the account %s", c[0], c[1], name)
		}
		seen[name] = true
	}
}
