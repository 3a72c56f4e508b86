package hcstest

import (
	"slices"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// modify changes a running system's document, so that what was asked for shows.
func (s *Service) modify(sys *system, document string) error {
	var r schema.ModifySettingRequest
	if schema.Unmarshal([]byte(document), &r) != nil || strict(r) != "" {
		return s.failure(hcs.CodeInvalidJSON, "")
	}
	s.mu.Lock()
	code, why := sys.modifyLocked(&r)
	var err error
	if code == 0 {
		err = sys.limitJobLocked()
	}
	s.mu.Unlock()
	if code != 0 {
		return s.failure(code, why)
	}
	return err
}

func (sys *system) modifyLocked(r *schema.ModifySettingRequest) (hcs.Code, string) {
	switch sys.state {
	case schema.StateRunning:
	case schema.StateStopped:
		return hcs.CodeSystemAlreadyStopped, ""
	default:
		return hcs.CodeInvalidState, ""
	}
	// Copied, so that documents that were handed out stay as they were.
	c := *sys.document.Container
	var ok bool
	switch {
	case r.ResourcePath == schema.PathMemory && r.RequestType == schema.RequestUpdate:
		c.Memory = new(schema.Memory)
		ok = schema.Unmarshal(r.Settings, &c.Memory.SizeInMB) == nil
	case r.ResourcePath == schema.PathProcessor && r.RequestType == schema.RequestUpdate:
		c.Processor = new(schema.Processor)
		ok = schema.Unmarshal(r.Settings, c.Processor) == nil && checkProcessor(c.Processor) == ""
	case r.ResourcePath == schema.PathMappedDirectories:
		c.MappedDirectories, ok = change(c.MappedDirectories, r, func(a, b schema.MappedDirectory) bool { return a.ContainerPath == b.ContainerPath })
	case r.ResourcePath == schema.PathMappedPipes:
		c.MappedPipes, ok = change(c.MappedPipes, r, func(a, b schema.MappedPipe) bool { return a.ContainerPipeName == b.ContainerPipeName })
	case r.ResourcePath == schema.PathDevices:
		c.AssignedDevices, ok = change(c.AssignedDevices, r, func(a, b schema.Device) bool {
			return a.LocationPath == b.LocationPath && a.InterfaceClassGuid == b.InterfaceClassGuid
		})
	case r.ResourcePath == schema.PathRegistryFlushState && r.RequestType == schema.RequestUpdate:
		ok = schema.Unmarshal(r.Settings, new(schema.RegistryFlushState)) == nil
	default:
		return hcs.CodeWin32NotSupported, "resource path " + r.ResourcePath
	}
	if !ok {
		return hcs.CodeInvalidJSON, "settings of " + r.ResourcePath
	}
	sys.document.Container = &c
	return 0, ""
}

// change adds the settings of r to list, or takes them from it.
func change[T any](list []T, r *schema.ModifySettingRequest, same func(a, b T) bool) ([]T, bool) {
	var v T
	if schema.Unmarshal(r.Settings, &v) != nil {
		return list, false
	}
	at := slices.IndexFunc(list, func(have T) bool { return same(have, v) })
	switch {
	case r.RequestType == schema.RequestAdd && at < 0:
		return append(slices.Clone(list), v), true
	case r.RequestType == schema.RequestRemove && at >= 0:
		return slices.Delete(slices.Clone(list), at, at+1), true
	}
	return list, false
}
