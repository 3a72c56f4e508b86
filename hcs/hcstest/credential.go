package hcstest

import (
	"encoding/json"
	"slices"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// ServiceProperties implements [hcs.Service].
func (s *Service) ServiceProperties(query string) (string, error) {
	if err := s.plan("ServiceProperties").wait(nil); err != nil {
		return "", err
	}
	var q schema.PropertyQuery
	if schema.Unmarshal([]byte(query), &q) != nil || strict(q) != "" {
		return "", s.failure(hcs.CodeInvalidJSON, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enterLocked("ServiceProperties"); err != nil {
		return "", err
	}
	var p schema.ServiceProperties
	for _, t := range q.PropertyTypes {
		switch t {
		case schema.ServiceBasic:
			p.Properties = append(p.Properties, json.RawMessage(encode(schema.BasicInformation{
				SupportedSchemaVersions: []schema.Version{{Major: 1}, schema.Level},
			})))
		case schema.ServiceCredentialGuard:
			p.Properties = append(p.Properties, json.RawMessage(encode(schema.ContainerCredentialGuardSystemInfo{Instances: s.instances})))
		default:
			return "", hcs.CodeWin32NotSupported
		}
	}
	return encode(p), nil
}

// ModifyServiceSettings implements [hcs.Service].
func (s *Service) ModifyServiceSettings(document string) (string, error) {
	if err := s.plan("ModifyServiceSettings").wait(nil); err != nil {
		return "", err
	}
	var (
		r       schema.ModificationRequest
		o       schema.ContainerCredentialGuardOperationRequest
		details schema.ContainerCredentialGuardInstanceRequest
	)
	if schema.Unmarshal([]byte(document), &r) != nil || r.PropertyType != schema.ServiceCredentialGuard ||
		schema.Unmarshal(r.Settings, &o) != nil || schema.Unmarshal(o.OperationDetails, &details) != nil ||
		strict(r)+strict(o)+strict(details) != "" || details.Id == "" {
		return "", s.failure(hcs.CodeInvalidJSON, document)
	}
	s.mu.Lock()
	err := s.enterLocked("ModifyServiceSettings")
	if err == nil {
		err = s.changeInstanceLocked(o.Operation, details)
	}
	s.mu.Unlock()
	return "", err
}

func (s *Service) changeInstanceLocked(op schema.CredentialGuardOperation, d schema.ContainerCredentialGuardInstanceRequest) error {
	at := slices.IndexFunc(s.instances, func(i schema.ContainerCredentialGuardInstance) bool { return i.Id == d.Id })
	switch {
	case op == schema.AddInstance && at >= 0:
		return hcs.CodeWin32AlreadyExists
	case op == schema.AddInstance && d.CredentialSpec == "":
		return hcs.CodeWin32InvalidArgument
	case op == schema.AddInstance:
		s.instances = append(slices.Clone(s.instances), schema.ContainerCredentialGuardInstance{
			Id: d.Id,
			CredentialGuard: &schema.ContainerCredentialGuardState{
				Cookie: "cookie-of-" + d.Id, RpcEndpoint: "endpoint-of-" + d.Id, Transport: d.Transport, CredentialSpec: d.CredentialSpec,
			},
		})
	case op == schema.RemoveInstance && at < 0:
		return hcs.CodeWin32ElementNotFound
	case op == schema.RemoveInstance:
		s.instances = slices.Delete(slices.Clone(s.instances), at, at+1)
	default:
		return hcs.CodeWin32InvalidArgument
	}
	return nil
}
