package schema

import "encoding/json"

// ContainerCredentialGuardState lets a container use the credentials of a group
// managed service account. The service returns it for an added instance. The cookie
// is a secret.
type ContainerCredentialGuardState struct {
	Cookie         string `json:"Cookie,omitempty"`
	RpcEndpoint    string `json:"RpcEndpoint,omitempty"`
	Transport      string `json:"Transport,omitempty"`
	CredentialSpec string `json:"CredentialSpec,omitempty"`

	Unknown Unknown `json:"-"`
}

// The transports of credential guard instances.
const (
	TransportLRPC     = "LRPC" // for containers that share the host's kernel
	TransportHvSocket = "HvSocket"
)

// ContainerCredentialGuardOperationRequest are the settings of a
// [ModificationRequest] for [ServiceCredentialGuard].
type ContainerCredentialGuardOperationRequest struct {
	Operation        CredentialGuardOperation `json:"Operation,omitempty"`
	OperationDetails json.RawMessage          `json:"OperationDetails,omitempty"`

	Unknown Unknown `json:"-"`
}

// CredentialGuardOperation is the kind of a
// [ContainerCredentialGuardOperationRequest].
type CredentialGuardOperation string

const (
	AddInstance    CredentialGuardOperation = "AddInstance"
	RemoveInstance CredentialGuardOperation = "RemoveInstance"
)

// ContainerCredentialGuardInstanceRequest are the details of [AddInstance]; those
// of [RemoveInstance] have the Id alone.
type ContainerCredentialGuardInstanceRequest struct {
	Id             string `json:"Id,omitempty"`
	CredentialSpec string `json:"CredentialSpec,omitempty"`
	Transport      string `json:"Transport,omitempty"`

	Unknown Unknown `json:"-"`
}

// ContainerCredentialGuardSystemInfo lists the instances of the host.
type ContainerCredentialGuardSystemInfo struct {
	Instances []ContainerCredentialGuardInstance `json:"Instances,omitempty"`

	Unknown Unknown `json:"-"`
}

// ContainerCredentialGuardInstance is one instance. It lives until it is removed
// or the service restarts.
type ContainerCredentialGuardInstance struct {
	Id              string                         `json:"Id,omitempty"`
	CredentialGuard *ContainerCredentialGuardState `json:"CredentialGuard,omitempty"`
	HvSocketConfig  json.RawMessage                `json:"HvSocketConfig,omitempty"`

	Unknown Unknown `json:"-"`
}
