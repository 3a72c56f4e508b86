package schema

import "encoding/json"

// Level is the schema version that this package's containers are written in. It
// came with Windows 10 1809, build 17763, and so did the service's API.
var Level = Version{Major: 2, Minor: 1}

// ComputeSystem describes a compute system to create. Exactly one of Container,
// HostedSystem and VirtualMachine is set.
type ComputeSystem struct {
	// Owner names the client that the system belongs to.
	Owner         string   `json:"Owner,omitempty"`
	SchemaVersion *Version `json:"SchemaVersion,omitempty"`
	// HostingSystemId is the virtual machine that HostedSystem is to run in.
	HostingSystemId string          `json:"HostingSystemId,omitempty"`
	HostedSystem    json.RawMessage `json:"HostedSystem,omitempty"`
	Container       *Container      `json:"Container,omitempty"`
	VirtualMachine  json.RawMessage `json:"VirtualMachine,omitempty"`
	// ShouldTerminateOnLastHandleClosed ties the system's life to its clients'.
	ShouldTerminateOnLastHandleClosed bool `json:"ShouldTerminateOnLastHandleClosed,omitempty"`

	Unknown Unknown `json:"-"`
}

// Version is a schema version. A service that speaks Major.Minor speaks all
// lower minors, too.
type Version struct {
	Major uint32 `json:"Major"`
	Minor uint32 `json:"Minor"`
}
