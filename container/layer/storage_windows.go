package layer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/winsys"
	"github.com/siloshim/siloshim/schema"
)

// The layer functions of vmcompute.dll. Microsoft documents none of them; hcsshim's package internal/wclayer is what
// they are known from. Each returns an HRESULT and takes a DriverInfo first.
var (
	modvmcompute = windows.NewLazySystemDLL("vmcompute.dll")

	procActivateLayer      = modvmcompute.NewProc("ActivateLayer")
	procDeactivateLayer    = modvmcompute.NewProc("DeactivateLayer")
	procPrepareLayer       = modvmcompute.NewProc("PrepareLayer")
	procUnprepareLayer     = modvmcompute.NewProc("UnprepareLayer")
	procCreateSandboxLayer = modvmcompute.NewProc("CreateSandboxLayer")
	procGetLayerMountPath  = modvmcompute.NewProc("GetLayerMountPath")
	procNameToGuid         = modvmcompute.NewProc("NameToGuid")
)

// filterDriver is the one driver there is; the paths of layers are whole, so it has no home. It is never moved.
var filterDriver = driverInfo{flavour: 1, homeDir: new(uint16)}

// System is the storage of this machine.
func System() Storage { return system{} }

// system is the storage of this machine.
type system struct{}

// LayerID implements [Storage].
func (system) LayerID(path string) (string, error) {
	name, err := windows.UTF16PtrFromString(filepath.Base(path))
	if err != nil {
		return "", err
	}
	var id windows.GUID
	if err := layerCall(procNameToGuid, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&id))); err != nil {
		return "", err
	}
	return strings.ToLower(strings.Trim(id.String(), "{}")), nil
}

// Activate implements [Storage].
func (system) Activate(scratch string, parents []schema.Layer) error {
	if err := ensureScratch(scratch, parents); err != nil {
		return err
	}
	return onLayer(procActivateLayer, scratch)
}

// ensureScratch makes the disk of a layer to write to, unless the snapshotter has.
func ensureScratch(scratch string, parents []schema.Layer) error {
	if _, err := os.Stat(filepath.Join(scratch, "sandbox.vhdx")); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(scratch, 0o777); err != nil {
		return err
	}
	return withParents(parents, func(list *layerDescriptor, n int) error {
		return onLayer(procCreateSandboxLayer, scratch, 0, uintptr(unsafe.Pointer(list)), uintptr(n))
	})
}

// Deactivate implements [Storage].
func (system) Deactivate(scratch string) error {
	return ignoreMissing(onLayer(procDeactivateLayer, scratch))
}

// preparing lets one layer at a time be prepared: more of them have been seen to make Windows run into timeouts.
var preparing sync.Mutex

// Prepare implements [Storage].
func (system) Prepare(scratch string, parents []schema.Layer) error {
	preparing.Lock()
	defer preparing.Unlock()
	return withParents(parents, func(list *layerDescriptor, n int) error {
		return onLayer(procPrepareLayer, scratch, uintptr(unsafe.Pointer(list)), uintptr(n))
	})
}

// Unprepare implements [Storage].
func (system) Unprepare(scratch string) error {
	return ignoreMissing(onLayer(procUnprepareLayer, scratch))
}

// Volume implements [Storage].
func (system) Volume(scratch string) (string, error) {
	length := uintptr(0)
	if err := onLayer(procGetLayerMountPath, scratch, uintptr(unsafe.Pointer(&length)), 0); err != nil {
		return "", err
	}
	if length == 0 {
		return "", fmt.Errorf("the layer has no volume: %w", ErrNotReady)
	}
	text := make([]uint16, length)
	if err := onLayer(procGetLayerMountPath, scratch, uintptr(unsafe.Pointer(&length)), uintptr(unsafe.Pointer(&text[0]))); err != nil {
		return "", err
	}
	return strings.TrimRight(windows.UTF16ToString(text), `\`) + `\`, nil
}

// MountImage implements [Storage].
func (system) MountImage(id string, l plan.Layers) (string, error) { return mountImage(id, l) }

// onLayer calls a function about the layer in a directory.
//
//go:uintptrescapes
func onLayer(p *windows.LazyProc, path string, more ...uintptr) error {
	text, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(text)
	args := append([]uintptr{uintptr(unsafe.Pointer(&filterDriver)), uintptr(unsafe.Pointer(text))}, more...)
	return layerCall(p, args...)
}

// layerCall calls a function that returns an HRESULT. What args point to stays where it is for the call if it is
// converted in the call itself.
//
//go:uintptrescapes
func layerCall(p *windows.LazyProc, args ...uintptr) error {
	err := winsys.HRESULT(p, args...)
	if errors.Is(err, windows.ERROR_NOT_READY) || errors.Is(err, windows.ERROR_DEVICE_NOT_CONNECTED) {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return err
}

// ignoreMissing makes nothing of an error that says that what is to be taken away is not there.
func ignoreMissing(err error) error {
	if errors.Is(err, ErrNotReady) {
		return nil
	}
	return winsys.IgnoreMissing(err)
}

// withParents lends call the descriptors of layers.
func withParents(parents []schema.Layer, call func(list *layerDescriptor, n int) error) error {
	list := make([]layerDescriptor, len(parents))
	for i, p := range parents {
		id, err := windows.GUIDFromString("{" + p.Id + "}")
		if err != nil {
			return fmt.Errorf("layer id %q: %w", p.Id, err)
		}
		path, err := windows.UTF16PtrFromString(p.Path)
		if err != nil {
			return err
		}
		list[i] = layerDescriptor{id: guid(id), path: path}
	}
	if len(list) == 0 {
		return errors.New("there is no layer below")
	}
	return call(&list[0], len(list))
}
