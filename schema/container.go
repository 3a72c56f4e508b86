package schema

import "encoding/json"

// Level is the schema version of this package's documents. Windows 10 1809, build
// 17763, introduced it together with computecore.dll.
var Level = Version{Major: 2, Minor: 1}

// ComputeSystem describes a compute system to create. Exactly one of Container,
// HostedSystem and VirtualMachine is set.
type ComputeSystem struct {
	// Owner names the client that the system belongs to.
	Owner         string   `json:"Owner,omitempty"`
	SchemaVersion *Version `json:"SchemaVersion,omitempty"`
	// HostingSystemId is the virtual machine that runs HostedSystem.
	HostingSystemId string          `json:"HostingSystemId,omitempty"`
	HostedSystem    json.RawMessage `json:"HostedSystem,omitempty"`
	Container       *Container      `json:"Container,omitempty"`
	VirtualMachine  json.RawMessage `json:"VirtualMachine,omitempty"`
	// ShouldTerminateOnLastHandleClosed ends the system when no client has it open.
	ShouldTerminateOnLastHandleClosed bool `json:"ShouldTerminateOnLastHandleClosed,omitempty"`

	Unknown Unknown `json:"-"`
}

// Version is a schema version. A service that supports Major.Minor supports all
// lower minors as well.
type Version struct {
	Major uint32 `json:"Major"`
	Minor uint32 `json:"Minor"`
}

// Container describes a Windows Server container. A nil field means no limit, no
// mapping, or the default of the service.
type Container struct {
	GuestOs                  *GuestOs                       `json:"GuestOs,omitempty"`
	Storage                  *Storage                       `json:"Storage,omitempty"`
	MappedDirectories        []MappedDirectory              `json:"MappedDirectories,omitempty"`
	MappedPipes              []MappedPipe                   `json:"MappedPipes,omitempty"`
	Memory                   *Memory                        `json:"Memory,omitempty"`
	Processor                *Processor                     `json:"Processor,omitempty"`
	Networking               *Networking                    `json:"Networking,omitempty"`
	HvSocket                 json.RawMessage                `json:"HvSocket,omitempty"`
	ContainerCredentialGuard *ContainerCredentialGuardState `json:"ContainerCredentialGuard,omitempty"`
	RegistryChanges          *RegistryChanges               `json:"RegistryChanges,omitempty"`
	AssignedDevices          []Device                       `json:"AssignedDevices,omitempty"`
	// AdditionalDeviceNamespace is not in the reference of the schema.
	AdditionalDeviceNamespace *DeviceNamespaceDefinition `json:"AdditionalDeviceNamespace,omitempty"`

	Unknown Unknown `json:"-"`
}

// GuestOs configures the operating system in a container.
type GuestOs struct {
	HostName string `json:"HostName,omitempty"`

	Unknown Unknown `json:"-"`
}

// Memory limits the memory that the processes of a container commit.
type Memory struct {
	SizeInMB uint64 `json:"SizeInMB,omitempty"`

	Unknown Unknown `json:"-"`
}

// Processor limits processor time. At most one of the three may be set.
type Processor struct {
	// Count is the share of a machine with Count of the host's processors.
	Count uint32 `json:"Count,omitempty"`
	// Maximum is the share of all processors, in ten thousandths.
	Maximum int64 `json:"Maximum,omitempty"`
	// Weight is the share in relation to other containers, 1 to 10000.
	Weight int64 `json:"Weight,omitempty"`

	Unknown Unknown `json:"-"`
}

// Networking joins a container to a network.
type Networking struct {
	AllowUnqualifiedDnsQuery bool `json:"AllowUnqualifiedDnsQuery,omitempty"`
	// DnsSearchList is separated by commas.
	DnsSearchList              string `json:"DnsSearchList,omitempty"`
	NetworkSharedContainerName string `json:"NetworkSharedContainerName,omitempty"`
	// Namespace is the GUID of a network namespace.
	Namespace       string   `json:"Namespace,omitempty"`
	NetworkAdapters []string `json:"NetworkAdapters,omitempty"`

	Unknown Unknown `json:"-"`
}

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

// DeviceType is the kind of a [Device].
type DeviceType string

const (
	ClassGuid      DeviceType = "ClassGuid" // all interfaces of a class
	DeviceInstance DeviceType = "DeviceInstance"
	GpuMirror      DeviceType = "GpuMirror" // all graphics processors
)

// DeviceNamespaceDefinition adds objects and devices to the namespace of a
// container. The extensions are the contents of files that belong to a device.
type DeviceNamespaceDefinition struct {
	DeviceExtension []json.RawMessage `json:"device_extension,omitempty"`

	Unknown Unknown `json:"-"`
}
