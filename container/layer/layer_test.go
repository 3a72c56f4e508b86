package layer

import (
	"testing"
	"unsafe"

	"github.com/Microsoft/go-winio/pkg/guid"
)

// The offsets are those of the Windows SDK for Win64. Those of layers and images, which Microsoft does not document, are
// those of hcsshim's internal/wclayer and internal/winapi.
func TestStructures_Layout_MatchesWindows(t *testing.T) {
	var (
		id     guid.GUID
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

// CimMountImage and CimMergeMountImage refuse a device with a backslash at its end.
func TestSplitImage_Path_DirAndName(t *testing.T) {
	const volume = `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}`
	for _, test := range []struct {
		path   string
		device bool
		dir    string
	}{
		{`C:\images\1\layer.cim`, false, `C:\images\1`},
		{`C:\layer.cim`, false, `C:\`},
		{`C:\images\1.bcim\layer.cim`, false, `C:\images\1.bcim`},
		{`C:\images\1.bcim\\layer.cim`, false, `C:\images\1.bcim`},
		{`C:/images/1.bcim/layer.cim`, false, `C:\images\1.bcim`},
		{volume + `\layer.cim`, false, volume + `\`},
		{volume + `\images\layer.cim`, false, volume + `\images`},
		{`\\.\PhysicalDrive2\layer.cim`, true, `\\.\PhysicalDrive2`},
		{`\\.\PhysicalDrive2\\layer.cim`, true, `\\.\PhysicalDrive2`},
		{volume + `\layer.cim`, true, volume},
	} {
		if dir, name := splitImage(test.path, test.device); dir != test.dir || name != "layer.cim" {
			t.Errorf("%s, device %t: %s in %s, want it in %s", test.path, test.device, name, dir, test.dir)
		}
	}
}

// The GUID is of version 5, as RFC 9562 defines it.
func TestImageVolume_ID_SameAsHcsshim(t *testing.T) {
	const want = "0935f1e2-072e-5041-89ce-988926056437"
	if got, err := imageVolume("web"); err != nil || got.String() != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if got := guidOf(`\\?\Volume{` + want + `}\`); got != want {
		t.Errorf("in the name of the volume: %q", got)
	}
}
