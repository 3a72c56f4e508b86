package schema

import "encoding/json"

// Container is a Windows Server container. What is nil is not limited, not
// mapped, or left at the service's default.
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

// GuestOs is what the inside of a container is told about itself.
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
