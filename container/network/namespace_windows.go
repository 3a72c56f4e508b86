package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"unsafe"

	"github.com/Microsoft/go-winio/pkg/guid"
	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
	"github.com/siloshim/siloshim/schema"
)

// The namespace functions of computenetwork.dll. Each returns an HRESULT, and its last argument
// receives a document about the error.
//
// https://learn.microsoft.com/windows-server/networking/technologies/hcn/hcn-top
var (
	modcomputenetwork = windows.NewLazySystemDLL("computenetwork.dll")

	procHcnCreateNamespace = modcomputenetwork.NewProc("HcnCreateNamespace")
	procHcnOpenNamespace   = modcomputenetwork.NewProc("HcnOpenNamespace")
	procHcnModifyNamespace = modcomputenetwork.NewProc("HcnModifyNamespace")
	procHcnDeleteNamespace = modcomputenetwork.NewProc("HcnDeleteNamespace")
	procHcnCloseNamespace  = modcomputenetwork.NewProc("HcnCloseNamespace")
)

// System has the namespaces of this machine.
func System() Namespaces { return system{} }

type system struct{}

// namespace is the document of a network namespace. Without a type it is a namespace of the host.
type namespace struct{ SchemaVersion schema.Version }

// namespaceChange is the document of a change.
type namespaceChange struct {
	ResourceType string
	RequestType  schema.RequestType
	Settings     struct {
		EndpointID string `json:"EndpointId"`
	}
}

func (system) CreateNamespace(id string) error {
	g, err := guid.FromString(id)
	if err != nil {
		return fmt.Errorf("namespace %q: %w", id, err)
	}
	settings, err := documentOf(namespace{SchemaVersion: schema.Version{Major: 2}})
	if err != nil {
		return err
	}
	var (
		handle uintptr
		result *uint16
	)
	err = winsys.HRESULT(procHcnCreateNamespace, uintptr(unsafe.Pointer(&g)), uintptr(unsafe.Pointer(settings)),
		uintptr(unsafe.Pointer(&handle)), uintptr(unsafe.Pointer(&result)))
	if err = explain(err, result); err != nil {
		return err
	}
	return winsys.HRESULT(procHcnCloseNamespace, handle)
}

func (system) AddEndpoint(id, endpoint string) error {
	return changeNamespace(id, schema.RequestAdd, endpoint)
}

func (system) RemoveEndpoint(id, endpoint string) error {
	return winsys.IgnoreMissing(changeNamespace(id, schema.RequestRemove, endpoint))
}

func changeNamespace(id string, request schema.RequestType, endpoint string) error {
	g, err := guid.FromString(id)
	if err != nil {
		return fmt.Errorf("namespace %q: %w", id, err)
	}
	change := namespaceChange{ResourceType: "Endpoint", RequestType: request}
	change.Settings.EndpointID = endpoint
	settings, err := documentOf(change)
	if err != nil {
		return err
	}
	var (
		handle uintptr
		result *uint16
	)
	err = winsys.HRESULT(procHcnOpenNamespace, uintptr(unsafe.Pointer(&g)), uintptr(unsafe.Pointer(&handle)), uintptr(unsafe.Pointer(&result)))
	if err = explain(err, result); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	result = nil
	err = winsys.HRESULT(procHcnModifyNamespace, handle, uintptr(unsafe.Pointer(settings)), uintptr(unsafe.Pointer(&result)))
	return errors.Join(explain(err, result), winsys.HRESULT(procHcnCloseNamespace, handle))
}

func (system) DeleteNamespace(id string) error {
	g, err := guid.FromString(id)
	if err != nil {
		return fmt.Errorf("namespace %q: %w", id, err)
	}
	var result *uint16
	err = winsys.HRESULT(procHcnDeleteNamespace, uintptr(unsafe.Pointer(&g)), uintptr(unsafe.Pointer(&result)))
	return winsys.IgnoreMissing(explain(err, result))
}

func documentOf(v any) (*uint16, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return windows.UTF16PtrFromString(string(text))
}

// explain adds the service's description of the error, and frees the document that contains it.
func explain(err error, result *uint16) error {
	if result == nil {
		return err
	}
	text, tooLong := winsys.Text(result)
	windows.CoTaskMemFree(unsafe.Pointer(result))
	var failure struct{ Error string }
	if err == nil || tooLong != nil || json.Unmarshal([]byte(text), &failure) != nil || failure.Error == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, failure.Error)
}
