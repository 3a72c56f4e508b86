package schema

import "encoding/json"

// Device assigns devices of the host to a container.
type Device struct {
	// Type is left empty for the one kind that the first version of this document
	// had, a class of device interfaces.
	Type DeviceType `json:"Type,omitempty"`
	// InterfaceClassGuid goes with ClassGuid.
	InterfaceClassGuid string `json:"InterfaceClassGuid,omitempty"`
	// LocationPath goes with DeviceInstance.
	LocationPath string `json:"LocationPath,omitempty"`

	Unknown Unknown `json:"-"`
}

// DeviceType says how a [Device] names what it assigns.
type DeviceType string

const (
	ClassGuid      DeviceType = "ClassGuid" // all interfaces of a class
	DeviceInstance DeviceType = "DeviceInstance"
	GpuMirror      DeviceType = "GpuMirror" // all graphics processors
)

// DeviceNamespaceDefinition adds to the objects and devices that the inside of a
// container sees. Its extensions come from files that belong to a device and are
// passed on as they are.
type DeviceNamespaceDefinition struct {
	DeviceExtension []json.RawMessage `json:"device_extension,omitempty"`

	Unknown Unknown `json:"-"`
}
