package schema

// Storage is the root filesystem of a container: a writable volume over layers.
type Storage struct {
	// Layers are the read-only parents, the nearest first.
	Layers []Layer `json:"Layers,omitempty"`
	// Path is the volume of the writable layer, \\?\Volume{GUID}\.
	Path string      `json:"Path,omitempty"`
	QoS  *StorageQoS `json:"QoS,omitempty"`

	Unknown Unknown `json:"-"`
}

// Layer is one read-only layer of a root filesystem.
type Layer struct {
	// Id is a GUID, made from the name of the layer's directory.
	Id       string   `json:"Id,omitempty"`
	Path     string   `json:"Path,omitempty"`
	PathType PathType `json:"PathType,omitempty"`
	Cache    string   `json:"Cache,omitempty"`

	Unknown Unknown `json:"-"`
}

// PathType is the kind of a path of the host.
type PathType string

const (
	AbsolutePath        PathType = "AbsolutePath" // the default
	VirtualSmbShareName PathType = "VirtualSmbShareName"
	VirtualSmbPipeName  PathType = "VirtualSmbPipeName"
)

// StorageQoS limits the reads and writes of a container.
type StorageQoS struct {
	IopsMaximum uint64 `json:"IopsMaximum,omitempty"`
	// BandwidthMaximum is in bytes a second.
	BandwidthMaximum uint64 `json:"BandwidthMaximum,omitempty"`

	Unknown Unknown `json:"-"`
}

// MappedDirectory makes a directory of the host visible in a container.
type MappedDirectory struct {
	HostPath          string   `json:"HostPath,omitempty"`
	HostPathType      PathType `json:"HostPathType,omitempty"`
	ContainerPath     string   `json:"ContainerPath,omitempty"`
	ReadOnly          bool     `json:"ReadOnly,omitempty"`
	SupportCloudFiles bool     `json:"SupportCloudFiles,omitempty"`

	Unknown Unknown `json:"-"`
}

// MappedPipe makes a named pipe of the host visible in a container.
type MappedPipe struct {
	// ContainerPipeName is the name without the prefix \\.\pipe\.
	ContainerPipeName string   `json:"ContainerPipeName,omitempty"`
	HostPath          string   `json:"HostPath,omitempty"`
	HostPathType      PathType `json:"HostPathType,omitempty"`

	Unknown Unknown `json:"-"`
}
