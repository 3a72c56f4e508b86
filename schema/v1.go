package schema

// ContainerV1 is a container of schema version 1, which has everything at one
// level. Version 2 replaced it with Windows Server 2019; this one is here to read
// and to compare with what older tools write. Fields that are never left out are
// those that such tools always send.
type ContainerV1 struct {
	SystemType              string              `json:"SystemType"` // always "Container"
	Name                    string              `json:"Name"`
	Owner                   string              `json:"Owner,omitempty"`
	IsDummy                 bool                `json:"IsDummy"`
	VolumePath              string              `json:"VolumePath,omitempty"`
	IgnoreFlushesDuringBoot bool                `json:"IgnoreFlushesDuringBoot"`
	LayerFolderPath         string              `json:"LayerFolderPath,omitempty"`
	Layers                  []LayerV1           `json:"Layers"`
	MemoryMaximumInMB       int64               `json:"MemoryMaximumInMB"`
	ProcessorCount          uint32              `json:"ProcessorCount"`
	ProcessorMaximum        int64               `json:"ProcessorMaximum"`
	StorageIOPSMaximum      uint64              `json:"StorageIOPSMaximum"`
	StorageBandwidthMaximum uint64              `json:"StorageBandwidthMaximum"`
	HostName                string              `json:"HostName,omitempty"`
	MappedDirectories       []MappedDirectoryV1 `json:"MappedDirectories"`
	// HvPartition is true for a container in a virtual machine.
	HvPartition              bool     `json:"HvPartition"`
	EndpointList             []string `json:"EndpointList"`
	Servicing                bool     `json:"Servicing"`
	AllowUnqualifiedDNSQuery bool     `json:"AllowUnqualifiedDNSQuery"`

	Unknown Unknown `json:"-"`
}

// LayerV1 is a [Layer] of schema version 1.
type LayerV1 struct {
	ID   string `json:"ID"`
	Path string `json:"Path"`
}

// MappedDirectoryV1 is a [MappedDirectory] of schema version 1, which has limits
// of its own.
type MappedDirectoryV1 struct {
	HostPath         string `json:"HostPath"`
	ContainerPath    string `json:"ContainerPath"`
	ReadOnly         bool   `json:"ReadOnly"`
	IOPSMaximum      uint64 `json:"IOPSMaximum"`
	BandwidthMaximum uint64 `json:"BandwidthMaximum"`

	Unknown Unknown `json:"-"`
}
