package wcow

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// addCredentials makes an instance of the credential guard for a container and returns its state, which is a secret.
//
// https://learn.microsoft.com/virtualization/windowscontainers/manage-containers/manage-serviceaccounts
func addCredentials(ctx context.Context, c *hcs.Client, id, spec string, r *resource.Record) (*schema.ContainerCredentialGuardState, error) {
	request, err := schema.NewCredentialGuardRequest(schema.AddInstance, schema.ContainerCredentialGuardInstanceRequest{
		Id: id, CredentialSpec: spec, Transport: schema.TransportLRPC,
	})
	if err != nil {
		return nil, err
	}
	remove, err := removal(id)
	if err != nil {
		return nil, err
	}
	r.Begin(resource.Resource{Kind: resource.Credentials, Name: id})
	if _, err := c.ModifyServiceOrUndo(ctx, request, remove); err != nil {
		return nil, fmt.Errorf("add credentials of %s: %w", id, err)
	}
	answer, err := c.ServiceProperties(ctx, schema.ServiceCredentialGuard)
	if err != nil {
		return nil, fmt.Errorf("query credentials of %s: %w", id, err)
	}
	for _, raw := range answer.Properties {
		var info schema.ContainerCredentialGuardSystemInfo
		if schema.Unmarshal(raw, &info) != nil {
			continue // the error may contain a secret
		}
		for _, instance := range info.Instances {
			if instance.Id == id && instance.CredentialGuard != nil {
				return instance.CredentialGuard, nil
			}
		}
	}
	return nil, fmt.Errorf("query credentials of %s: the service does not list an instance: %w", id, errdefs.ErrNotFound)
}

// RemoveCredentials removes the instance of a container if it exists.
func RemoveCredentials(ctx context.Context, c *hcs.Client, id string) error {
	request, err := removal(id)
	if err != nil {
		return err
	}
	_, err = c.ModifyService(ctx, request)
	if errors.Is(err, hcs.ErrNotFound) {
		return nil
	}
	return err
}

// removal is the request to remove the instance.
func removal(id string) (*schema.ModificationRequest, error) {
	return schema.NewCredentialGuardRequest(schema.RemoveInstance, schema.ContainerCredentialGuardInstanceRequest{Id: id})
}
