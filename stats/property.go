package stats

import (
	"context"
	"encoding/json"
)

// PropertyType names a set of properties in the words of the Host Compute Service.
//
// https://learn.microsoft.com/virtualization/api/hcs/schemareference#System_PropertyType
type PropertyType string

// The types that are answered in this process. Any other goes to the service.
const (
	PropertyStatistics  PropertyType = "Statistics"
	PropertyProcessList PropertyType = "ProcessList"
)

// Properties are what a container tells of itself.
type Properties struct {
	ID            string
	SystemType    string // in lower case
	RuntimeOSType string // in lower case
	Owner         string // in the spelling of who made the container
	// Statistics is nil unless it was asked for and had.
	Statistics *Sample
	// ProcessList is nil unless it was asked for and had.
	ProcessList []Process
	// Others are the service's documents of the types that this package does not know.
	Others map[PropertyType]json.RawMessage
}

// Service is the Host Compute Service, as far as statistics need it. It must be safe for concurrent use.
type Service interface {
	// Properties asks for these types of one container, each at most once.
	Properties(ctx context.Context, types []PropertyType) (Properties, error)
}
