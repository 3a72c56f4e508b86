package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/Microsoft/go-winio/pkg/guid"
	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/internal/textfile"
	"github.com/siloshim/siloshim/schema"
)

// classPrefix is before the GUID if a client passes on the text of its user, as in docker's --device class/GUID.
const classPrefix = "class/"

func (v *WCOW) planDevices(s *specs.Spec) error {
	c := v.Document.Container
	for i, d := range s.Windows.Devices {
		field := fmt.Sprintf("windows.devices[%d]", i)
		if d.ID == "" {
			return fmt.Errorf("%s.id is empty: %w", field, errdefs.ErrInvalidArgument)
		}
		switch d.IDType {
		case "class", "vpci-class-guid":
			id := strings.TrimPrefix(d.ID, classPrefix)
			if _, err := guid.FromString(strings.TrimSuffix(strings.TrimPrefix(id, "{"), "}")); err != nil {
				return fmt.Errorf("%s.id %q: a class is named by its GUID: %w", field, d.ID, errdefs.ErrInvalidArgument)
			}
			c.AssignedDevices = append(c.AssignedDevices, schema.Device{InterfaceClassGuid: id})
		case "vpci-location-path":
			c.AssignedDevices = append(c.AssignedDevices, schema.Device{Type: schema.DeviceInstance, LocationPath: d.ID})
		case "vpci", "vpci-instance-id", "gpu":
			return fmt.Errorf("%s.idType %s: only virtual machines have that: %w", field, d.IDType, errdefs.ErrNotImplemented)
		default:
			return fmt.Errorf("%s.idType %q: use class, vpci-class-guid or vpci-location-path: %w", field, d.IDType, errdefs.ErrInvalidArgument)
		}
	}
	return v.planExtensions(s.Annotations[annotations.DeviceExtensions])
}

// planExtensions reads the files that define further devices. Their content is passed on unchanged.
func (v *WCOW) planExtensions(list string) error {
	if list == "" {
		return nil
	}
	var extensions []json.RawMessage
	for path := range strings.SplitSeq(list, ",") {
		data, err := v.host.Read(path)
		if err != nil {
			return fmt.Errorf("annotation %s: %w: %w", annotations.DeviceExtensions, err, errdefs.ErrNotFound)
		}
		var extension json.RawMessage
		if err := json.Unmarshal(data, &extension); err != nil {
			return fmt.Errorf("annotation %s: %s: %s: %w", annotations.DeviceExtensions, path, jsonCause(err), errdefs.ErrInvalidArgument)
		}
		extensions = append(extensions, extension)
	}
	v.Document.Container.AdditionalDeviceNamespace = &schema.DeviceNamespaceDefinition{DeviceExtension: extensions}
	return nil
}

// planCredentials takes the credential specification as text, or as the object of the OCI schema.
func (v *WCOW) planCredentials(s *specs.Spec) error {
	if s.Windows.CredentialSpec == nil {
		return nil
	}
	for _, off := range []string{annotations.WCOWDisableGMSA, annotations.DisableUnsafeOperations} {
		if s.Annotations[off] == "true" {
			return fmt.Errorf("windows.credentialSpec: annotation %s forbids group managed service accounts: %w", off, errdefs.ErrPermissionDenied)
		}
	}
	switch c := s.Windows.CredentialSpec.(type) {
	case string:
		text, err := textfile.Decode([]byte(c)) // clients pass on the content of the file
		if err != nil {
			return fmt.Errorf("windows.credentialSpec: %w: %w", err, errdefs.ErrInvalidArgument)
		}
		v.CredentialSpec = string(text)
	case map[string]any:
		text, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("windows.credentialSpec: it cannot be written as JSON: %w", errdefs.ErrInvalidArgument)
		}
		v.CredentialSpec = string(text)
	default:
		return fmt.Errorf("windows.credentialSpec: it is neither an object nor a string: %w", errdefs.ErrInvalidArgument)
	}
	if strings.ContainsRune(v.CredentialSpec, 0) { // the byte order mark of UTF-16 was lost, because JSON cannot contain it
		return fmt.Errorf("windows.credentialSpec: it is UTF-16; save its file as UTF-8: %w", errdefs.ErrInvalidArgument)
	}
	if !json.Valid([]byte(v.CredentialSpec)) {
		return fmt.Errorf("windows.credentialSpec: it is not JSON: %w", errdefs.ErrInvalidArgument)
	}
	return nil
}
