package schema

// RegistryChanges are made to a container's registry before it starts.
type RegistryChanges struct {
	AddValues  []RegistryValue `json:"AddValues,omitempty"`
	DeleteKeys []RegistryKey   `json:"DeleteKeys,omitempty"`

	Unknown Unknown `json:"-"`
}

// RegistryKey names a key by its hive and its path within.
type RegistryKey struct {
	Hive     RegistryHive `json:"Hive,omitempty"`
	Name     string       `json:"Name,omitempty"`
	Volatile bool         `json:"Volatile,omitempty"`

	Unknown Unknown `json:"-"`
}

// RegistryHive is one of a container's hives.
type RegistryHive string

const (
	HiveSystem   RegistryHive = "System"
	HiveSoftware RegistryHive = "Software"
	HiveSecurity RegistryHive = "Security"
	HiveSam      RegistryHive = "Sam"
)

// RegistryValue is a value under Key. Exactly one of the values is set, the one
// that goes with Type.
type RegistryValue struct {
	Key         *RegistryKey      `json:"Key,omitempty"`
	Name        string            `json:"Name,omitempty"`
	Type        RegistryValueType `json:"Type,omitempty"`
	StringValue string            `json:"StringValue,omitempty"`
	BinaryValue []byte            `json:"BinaryValue,omitempty"`
	DWordValue  *uint32           `json:"DWordValue,omitempty"`
	QWordValue  *uint64           `json:"QWordValue,omitempty"`
	CustomType  *uint32           `json:"CustomType,omitempty"`

	Unknown Unknown `json:"-"`
}

// RegistryValueType is the type of a [RegistryValue].
type RegistryValueType string

const (
	RegistryNone           RegistryValueType = "None"
	RegistryString         RegistryValueType = "String"
	RegistryExpandedString RegistryValueType = "ExpandedString"
	RegistryMultiString    RegistryValueType = "MultiString"
	RegistryBinary         RegistryValueType = "Binary"
	RegistryDWord          RegistryValueType = "DWord"
	RegistryQWord          RegistryValueType = "QWord"
	RegistryCustomType     RegistryValueType = "CustomType"
)

// RegistryFlushState is the setting at [PathRegistryFlushState]: whether changes that a
// container makes to its registry are kept.
type RegistryFlushState struct {
	Enabled bool `json:"Enabled"`

	Unknown Unknown `json:"-"`
}
