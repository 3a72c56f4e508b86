package layer

import (
	"structs"
)

// The structures that Windows reads or writes. They are declared for every system so that their layout is tested on
// each.

// guid is GUID, with the fields of windows.GUID.
//
// https://learn.microsoft.com/windows/win32/api/guiddef/ns-guiddef-guid
type guid struct {
	Data1 uint32
	Data2 uint16
	Data3 uint16
	Data4 [8]byte
}

// driverInfo is the first argument of the layer functions.
//
//	struct DriverInfo { enum { DiffDriver, FilterDriver } Flavour; LPCWSTR HomeDir; };
type driverInfo struct {
	_       structs.HostLayout
	flavour int32
	homeDir *uint16
}

// layerDescriptor names a parent.
//
//	struct WC_LAYER_DESCRIPTOR { GUID LayerId; ULONG Flags; LPCWSTR Path; };
type layerDescriptor struct {
	_     structs.HostLayout
	id    guid
	flags uint32
	path  *uint16
}

// imagePath is one image of a merged mount.
//
//	struct CIMFS_IMAGE_PATH { PCWSTR ImageDir; PCWSTR ImageName; };
type imagePath struct {
	_         structs.HostLayout
	dir, name *uint16
}
