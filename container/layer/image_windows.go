package layer

import (
	"crypto/sha1"
	"encoding/json"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/schema"
)

// The functions of cimfs.dll and computestorage.dll.
//
// https://learn.microsoft.com/windows/win32/api/_cimfs/
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsattachoverlayfilter
var (
	modcimfs          = windows.NewLazySystemDLL("cimfs.dll")
	modcomputestorage = windows.NewLazySystemDLL("computestorage.dll")

	procCimMountImage          = modcimfs.NewProc("CimMountImage")
	procCimMergeMountImage     = modcimfs.NewProc("CimMergeMountImage")
	procCimDismountImage       = modcimfs.NewProc("CimDismountImage")
	procHcsAttachOverlayFilter = modcomputestorage.NewProc("HcsAttachOverlayFilter")
	procHcsDetachOverlayFilter = modcomputestorage.NewProc("HcsDetachOverlayFilter")
)

// Flags of CimMountImage and CimMergeMountImage.
const (
	cimMountBlockDevice = 0x10
	cimMountSingleFile  = 0x20
)

// imageSpace makes the names of volumes from ids; hcsshim's is the same, so either shim finds what the other left.
var imageSpace = windows.GUID{Data1: 0x6827367b, Data2: 0xc388, Data3: 0x4e9b, Data4: [8]byte{0x96, 0x1c, 0x6d, 0x2c, 0x93, 0x6c}}

// imageVolume is the GUID of the volume of a container's images, of version 5 as RFC 9562 has it.
func imageVolume(id string) windows.GUID {
	s := imageSpace
	h := sha1.New()
	h.Write([]byte{
		byte(s.Data1 >> 24), byte(s.Data1 >> 16), byte(s.Data1 >> 8), byte(s.Data1),
		byte(s.Data2 >> 8), byte(s.Data2), byte(s.Data3 >> 8), byte(s.Data3),
	})
	h.Write(s.Data4[:])
	h.Write([]byte(id))
	b := h.Sum(nil)
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	g := windows.GUID{
		Data1: uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]),
		Data2: uint16(b[4])<<8 | uint16(b[5]), Data3: uint16(b[6])<<8 | uint16(b[7]),
	}
	copy(g.Data4[:], b[8:16])
	return g
}

// mountImage mounts the nearest image, which has all below it, or several merged.
func mountImage(id string, l plan.Layers) (string, error) {
	flags := uintptr(0)
	if l.Kind == plan.BlockCIM {
		flags = cimMountSingleFile
		if l.Device {
			flags = cimMountBlockDevice
		}
	}
	paths := []string{l.Cims[0]}
	if l.Kind == plan.BlockCIM && len(l.Cims) > 1 {
		paths = append([]string{l.Merged}, l.Cims...)
	}
	images := make([]imagePath, len(paths))
	for i, path := range paths {
		parent, base := splitImage(path, l.Device)
		dir, err := windows.UTF16PtrFromString(parent)
		if err != nil {
			return "", err
		}
		name, err := windows.UTF16PtrFromString(base)
		if err != nil {
			return "", err
		}
		images[i] = imagePath{dir: dir, name: name}
	}
	volume := imageVolume(id)
	var err error
	if len(images) == 1 {
		err = layerCall(procCimMountImage, uintptr(unsafe.Pointer(images[0].dir)), uintptr(unsafe.Pointer(images[0].name)),
			flags, uintptr(unsafe.Pointer(&volume)))
	} else {
		err = layerCall(procCimMergeMountImage, uintptr(len(images)), uintptr(unsafe.Pointer(&images[0])),
			flags, uintptr(unsafe.Pointer(&volume)))
	}
	return `\\?\Volume` + volume.String() + `\`, err
}

// UnmountImage implements [Storage].
func (system) UnmountImage(id string) error {
	volume := imageVolume(id)
	return ignoreMissing(layerCall(procCimDismountImage, uintptr(unsafe.Pointer(&volume))))
}

// unionData is the LayerData document of the overlay filter.
//
// https://learn.microsoft.com/virtualization/api/hcs/schemareference#LayerData
type unionData struct {
	SchemaVersion schema.Version
	FilterType    string
	Layers        []schema.Layer `json:",omitempty"`
}

// AttachUnion implements [Storage].
func (system) AttachUnion(volume string, parents []schema.Layer) error {
	return onVolume(procHcsAttachOverlayFilter, volume, parents)
}

// DetachUnion implements [Storage].
func (system) DetachUnion(volume string) error {
	return ignoreMissing(onVolume(procHcsDetachOverlayFilter, volume, nil))
}

func onVolume(p *windows.LazyProc, volume string, layers []schema.Layer) error {
	document, err := json.Marshal(unionData{SchemaVersion: schema.Level, FilterType: "UnionFS", Layers: layers})
	if err != nil {
		return err
	}
	path, err := windows.UTF16PtrFromString(volume)
	if err != nil {
		return err
	}
	text, err := windows.UTF16PtrFromString(string(document))
	if err != nil {
		return err
	}
	return layerCall(p, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(text)))
}
