package schema

import "encoding/json"

// ModifySettingRequest changes a running compute system.
type ModifySettingRequest struct {
	ResourcePath string          `json:"ResourcePath,omitempty"`
	RequestType  RequestType     `json:"RequestType,omitempty"`
	Settings     json.RawMessage `json:"Settings,omitempty"`
	GuestRequest json.RawMessage `json:"GuestRequest,omitempty"`

	Unknown Unknown `json:"-"`
}

// RequestType is the kind of a [ModifySettingRequest].
type RequestType string

const (
	RequestAdd    RequestType = "Add"
	RequestRemove RequestType = "Remove"
	RequestUpdate RequestType = "Update"
)

// The parts of a Windows Server container that can be changed while it runs. The
// reference of the schema does not list them; Microsoft's own clients use them.
const (
	PathMappedDirectories  = "Container/MappedDirectories"  // MappedDirectory
	PathMappedPipes        = "Container/MappedPipes"        // MappedPipe
	PathMemory             = "Container/Memory/SizeInMB"    // a number
	PathProcessor          = "Container/Processor"          // Processor
	PathRegistryFlushState = "Container/RegistryFlushState" // RegistryFlushState
	PathDevices            = "Container/Devices/Generic"    // Device
)

// NewModifySetting returns a request of type t for the settings at path.
func NewModifySetting(t RequestType, path string, settings any) (*ModifySettingRequest, error) {
	raw, err := Marshal(settings)
	if err != nil {
		return nil, err
	}
	return &ModifySettingRequest{ResourcePath: path, RequestType: t, Settings: raw}, nil
}

// ModificationRequest changes the service itself.
type ModificationRequest struct {
	PropertyType PropertyType    `json:"PropertyType,omitempty"`
	Settings     json.RawMessage `json:"Settings,omitempty"`

	Unknown Unknown `json:"-"`
}

// NewCredentialGuardRequest returns the request to add or remove the instance
// that details describe.
func NewCredentialGuardRequest(op CredentialGuardOperation, details ContainerCredentialGuardInstanceRequest) (*ModificationRequest, error) {
	raw, err := Marshal(details)
	if err != nil {
		return nil, err
	}
	settings, err := Marshal(ContainerCredentialGuardOperationRequest{Operation: op, OperationDetails: raw})
	if err != nil {
		return nil, err
	}
	return &ModificationRequest{PropertyType: ServiceCredentialGuard, Settings: settings}, nil
}

// ServiceProperties are properties of the service, one for each type of the query, in
// its order.
type ServiceProperties struct {
	Properties []json.RawMessage `json:"Properties,omitempty"`

	Unknown Unknown `json:"-"`
}

// BasicInformation is the property [ServiceBasic].
type BasicInformation struct {
	// SupportedSchemaVersions has for each major version the highest minor one.
	SupportedSchemaVersions []Version `json:"SupportedSchemaVersions,omitempty"`

	Unknown Unknown `json:"-"`
}
