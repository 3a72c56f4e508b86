package schema

import (
	"encoding/json"
	"time"
)

// PropertyQuery selects properties of a compute system or of the service. An empty
// one selects the basic properties.
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

// SystemQuery selects the compute systems that match each list that is not empty.
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

// Properties are the answer about a compute system. Statistics and ProcessList are
// set if the query had their types.
type Properties struct {
	Id                          string           `json:"Id,omitempty"`
	SystemType                  SystemType       `json:"SystemType,omitempty"`
	RuntimeOsType               string           `json:"RuntimeOsType,omitempty"`
	Name                        string           `json:"Name,omitempty"`
	Owner                       string           `json:"Owner,omitempty"`
	RuntimeId                   string           `json:"RuntimeId,omitempty"`
	RuntimeTemplateId           string           `json:"RuntimeTemplateId,omitempty"`
	State                       SystemState      `json:"State,omitempty"`
	Stopped                     bool             `json:"Stopped,omitempty"`
	ExitType                    ExitType         `json:"ExitType,omitempty"`
	Memory                      json.RawMessage  `json:"Memory,omitempty"`
	Statistics                  *Statistics      `json:"Statistics,omitempty"`
	ProcessList                 []ProcessDetails `json:"ProcessList,omitempty"`
	TerminateOnLastHandleClosed bool             `json:"TerminateOnLastHandleClosed,omitempty"`
	HostingSystemId             string           `json:"HostingSystemId,omitempty"`

	Unknown Unknown `json:"-"`
}

// SystemState is the state of a compute system.
type SystemState string

const (
	StateCreated SystemState = "Created"
	StateRunning SystemState = "Running"
	StatePaused  SystemState = "Paused"
	StateStopped SystemState = "Stopped"
	StateUnknown SystemState = "Unknown"
)

// Statistics are the counters of a container at one moment. Durations are in
// units of 100 nanoseconds.
type Statistics struct {
	Timestamp          time.Time       `json:"Timestamp,omitzero"`
	ContainerStartTime time.Time       `json:"ContainerStartTime,omitzero"`
	Uptime100ns        uint64          `json:"Uptime100ns,omitempty"`
	Processor          *ProcessorStats `json:"Processor,omitempty"`
	Memory             *MemoryStats    `json:"Memory,omitempty"`
	Storage            *StorageStats   `json:"Storage,omitempty"`

	Unknown Unknown `json:"-"`
}

// ProcessorStats is the processor time used, also by processes that have exited.
type ProcessorStats struct {
	TotalRuntime100ns  uint64 `json:"TotalRuntime100ns,omitempty"`
	RuntimeUser100ns   uint64 `json:"RuntimeUser100ns,omitempty"`
	RuntimeKernel100ns uint64 `json:"RuntimeKernel100ns,omitempty"`

	Unknown Unknown `json:"-"`
}

// MemoryStats is the memory in use.
type MemoryStats struct {
	MemoryUsageCommitBytes            uint64 `json:"MemoryUsageCommitBytes,omitempty"`
	MemoryUsageCommitPeakBytes        uint64 `json:"MemoryUsageCommitPeakBytes,omitempty"`
	MemoryUsagePrivateWorkingSetBytes uint64 `json:"MemoryUsagePrivateWorkingSetBytes,omitempty"`

	Unknown Unknown `json:"-"`
}

// StorageStats counts the reads and writes of the container.
type StorageStats struct {
	ReadCountNormalized  uint64 `json:"ReadCountNormalized,omitempty"`
	ReadSizeBytes        uint64 `json:"ReadSizeBytes,omitempty"`
	WriteCountNormalized uint64 `json:"WriteCountNormalized,omitempty"`
	WriteSizeBytes       uint64 `json:"WriteSizeBytes,omitempty"`

	Unknown Unknown `json:"-"`
}

// ProcessDetails is one process of a container.
type ProcessDetails struct {
	ProcessId                    uint32    `json:"ProcessId,omitempty"`
	ImageName                    string    `json:"ImageName,omitempty"`
	CreateTimestamp              time.Time `json:"CreateTimestamp,omitzero"`
	UserTime100ns                uint64    `json:"UserTime100ns,omitempty"`
	KernelTime100ns              uint64    `json:"KernelTime100ns,omitempty"`
	MemoryCommitBytes            uint64    `json:"MemoryCommitBytes,omitempty"`
	MemoryWorkingSetPrivateBytes uint64    `json:"MemoryWorkingSetPrivateBytes,omitempty"`
	MemoryWorkingSetSharedBytes  uint64    `json:"MemoryWorkingSetSharedBytes,omitempty"`

	Unknown Unknown `json:"-"`
}
