package node

import "structs"

// unicodeString is UNICODE_STRING: lengths in bytes, and text without a NUL at its end.
//
// https://learn.microsoft.com/windows/win32/api/ntdef/ns-ntdef-_unicode_string
type unicodeString struct {
	_               structs.HostLayout
	length, maximum uint16
	buffer          *uint16
}

// directoryEntry is OBJECT_DIRECTORY_INFORMATION. It is declared for every system so that its layout is tested on each.
//
// https://learn.microsoft.com/windows/win32/devnotes/ntquerydirectoryobject
type directoryEntry struct {
	_              structs.HostLayout
	name, typeName unicodeString
}
