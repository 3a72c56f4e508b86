package layer

import (
	"testing"
	"unsafe"
)

// TestLayout compares with the Windows SDK's headers for Win64, and for the structures of layers and images with
// hcsshim's internal/wclayer and internal/winapi: Microsoft documents those nowhere.
func TestLayout(t *testing.T) {
	var (
		id     guid
		driver driverInfo
		layer  layerDescriptor
		image  imagePath
	)
	for _, f := range []struct {
		field     string
		got, want uintptr
	}{
		{"sizeof guid", unsafe.Sizeof(id), 16},
		{"guid.Data1", unsafe.Offsetof(id.Data1), 0},
		{"guid.Data2", unsafe.Offsetof(id.Data2), 4},
		{"guid.Data3", unsafe.Offsetof(id.Data3), 6},
		{"guid.Data4", unsafe.Offsetof(id.Data4), 8},

		{"sizeof driverInfo", unsafe.Sizeof(driver), 16},
		{"driverInfo.flavour", unsafe.Offsetof(driver.flavour), 0},
		{"driverInfo.homeDir", unsafe.Offsetof(driver.homeDir), 8},

		{"sizeof layerDescriptor", unsafe.Sizeof(layer), 32},
		{"layerDescriptor.id", unsafe.Offsetof(layer.id), 0},
		{"layerDescriptor.flags", unsafe.Offsetof(layer.flags), 16},
		{"layerDescriptor.path", unsafe.Offsetof(layer.path), 24},

		{"sizeof imagePath", unsafe.Sizeof(image), 16},
		{"imagePath.dir", unsafe.Offsetof(image.dir), 0},
		{"imagePath.name", unsafe.Offsetof(image.name), 8},
	} {
		if f.got != f.want {
			t.Errorf("%s = %d, want %d", f.field, f.got, f.want)
		}
	}
}
