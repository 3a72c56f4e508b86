package bootstrap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/fault"
)

// start finds or makes the shim that serves this container and writes its address.
func start(p Process, f flags) error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	params, err := readParams(p, f)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if params.TTRPCAddress == "" && params.PublishBinary == "" {
		return fmt.Errorf("start: no receiver of events; set TTRPC_ADDRESS or pass -publish-binary: %w", errdefs.ErrInvalidArgument)
	}
	annotations, err := annotationsOf(params)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	address, stop, err := shimFor(params, annotations)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := announce(p, params, address); err != nil {
		return fmt.Errorf("start: %w", errors.Join(err, stop()))
	}
	return nil
}

// annotationsOf reads the annotations of the bundle's spec. Since BootstrapParams, start may be for a sandbox, which has
// no spec or one that is no container's. Create checks it.
func annotationsOf(p Params) (map[string]string, error) {
	if p.modern {
		return plan.Annotations(p.Bundle)
	}
	s, err := plan.Load(p.Bundle)
	if err != nil {
		return nil, err
	}
	return s.Annotations, nil
}

// shimFor returns the address of the shim that serves the container: that of its sandbox, or a new one. stop
// ends what was started.
func shimFor(p Params, annotations map[string]string) (address string, stop func() error, err error) {
	nothing := func() error { return nil }
	role, sandbox, err := plan.RoleOf(p.ID, annotations)
	switch {
	case err != nil:
		return "", nothing, err
	case role == plan.Workload:
		address, err = sandboxAddress(p, sandbox)
		return address, nothing, err
	}
	p.socket = newAddress(p.Namespace, p.ID)
	stop, err = spawn(p)
	return p.socket, stop, err
}

func announce(p Process, params Params, address string) error {
	data, err := reply(params, p.Getenv("MAX_SHIM_VERSION"), address)
	if err != nil {
		return err
	}
	path := filepath.Join(params.Bundle, addressFile)
	if err := fault.Call("write address", func() error { return os.WriteFile(path, []byte(address), 0o600) }); err != nil {
		return fmt.Errorf("write the address into the bundle: %w", err)
	}
	if _, err := p.Stdout.Write(data); err != nil {
		return fmt.Errorf("write the reply: %w", err)
	}
	return nil
}
