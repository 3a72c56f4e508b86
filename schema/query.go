package schema

// PropertyQuery asks a compute system, or the service itself, for more than the
// basic properties. Empty asks for those alone.
type PropertyQuery struct {
	PropertyTypes []PropertyType `json:"PropertyTypes,omitempty"`

	Unknown Unknown `json:"-"`
}

// PropertyType is a group of properties.
type PropertyType string

// The groups of a compute system.
const (
	PropertyMemory                      PropertyType = "Memory"
	PropertyStatistics                  PropertyType = "Statistics"
	PropertyProcessList                 PropertyType = "ProcessList"
	PropertyTerminateOnLastHandleClosed PropertyType = "TerminateOnLastHandleClosed"
)

// The groups of the service.
const (
	ServiceBasic             PropertyType = "Basic"
	ServiceProcessorTopology PropertyType = "ProcessorTopology"
	ServiceCredentialGuard   PropertyType = "ContainerCredentialGuard"
	ServiceQoSCapabilities   PropertyType = "QoSCapabilities"
)

// SystemQuery selects compute systems; those that match every list that is not
// empty are meant.
type SystemQuery struct {
	Ids    []string     `json:"Ids,omitempty"`
	Names  []string     `json:"Names,omitempty"`
	Types  []SystemType `json:"Types,omitempty"`
	Owners []string     `json:"Owners,omitempty"`

	Unknown Unknown `json:"-"`
}

// SystemType is the kind of a compute system.
type SystemType string

const (
	TypeContainer      SystemType = "Container"
	TypeVirtualMachine SystemType = "VirtualMachine"
)
