package layer

import (
	"encoding/json"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/winsys"
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

// MountImage implements [Storage]. It mounts the nearest image, which contains its parents, or several images merged.
func (system) MountImage(id string, l plan.Layers) (string, error) {
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
		text, err := winsys.Strings(parent, base)
		if err != nil {
			return "", err
		}
		images[i] = imagePath{dir: text[0], name: text[1]}
	}
	volume, err := imageVolume(id)
	if err != nil {
		return "", err
	}
	if len(images) == 1 {
		err = layerCall(procCimMountImage, uintptr(unsafe.Pointer(images[0].dir)), uintptr(unsafe.Pointer(images[0].name)),
			flags, uintptr(unsafe.Pointer(&volume)))
	} else {
		err = layerCall(procCimMergeMountImage, uintptr(len(images)), uintptr(unsafe.Pointer(&images[0])),
			flags, uintptr(unsafe.Pointer(&volume)))
	}
	return `\\?\Volume{` + volume.String() + `}\`, err
}

func (system) UnmountImage(id string) error {
	volume, err := imageVolume(id)
	if err != nil {
		return err
	}
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

func (system) AttachUnion(volume string, parents []schema.Layer) error {
	return onVolume(procHcsAttachOverlayFilter, volume, parents)
}

func (system) DetachUnion(volume string) error {
	return ignoreMissing(onVolume(procHcsDetachOverlayFilter, volume, nil))
}

func onVolume(p *windows.LazyProc, volume string, layers []schema.Layer) error {
	document, err := json.Marshal(unionData{SchemaVersion: schema.Level, FilterType: "UnionFS", Layers: layers})
	if err != nil {
		return err
	}
	text, err := winsys.Strings(volume, string(document))
	if err != nil {
		return err
	}
	return layerCall(p, uintptr(unsafe.Pointer(text[0])), uintptr(unsafe.Pointer(text[1])))
}
