package node

import (
	"testing"
	"unsafe"
)

// TestNames_Layout_IsThatOfTheSDK compares with the Windows SDK's headers for Win64.
func TestNames_Layout_IsThatOfTheSDK(t *testing.T) {
	var (
		text  unicodeString
		entry directoryEntry
	)
	for _, f := range []struct {
		field     string
		got, want uintptr
	}{
		{"sizeof unicodeString", unsafe.Sizeof(text), 16},
		{"unicodeString.length", unsafe.Offsetof(text.length), 0},
		{"unicodeString.maximum", unsafe.Offsetof(text.maximum), 2},
		{"unicodeString.buffer", unsafe.Offsetof(text.buffer), 8},

		{"sizeof directoryEntry", unsafe.Sizeof(entry), 32},
		{"directoryEntry.name", unsafe.Offsetof(entry.name), 0},
		{"directoryEntry.typeName", unsafe.Offsetof(entry.typeName), 16},
	} {
		if f.got != f.want {
			t.Errorf("%s = %d, want %d", f.field, f.got, f.want)
		}
	}
}
