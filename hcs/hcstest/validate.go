package hcstest

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// Container is the document of a container that the simulated service makes.
func Container() schema.ComputeSystem {
	return schema.ComputeSystem{
		Owner:                             "hcstest",
		SchemaVersion:                     &schema.Version{Major: 2, Minor: 1},
		ShouldTerminateOnLastHandleClosed: true,
		Container: &schema.Container{Storage: &schema.Storage{
			Path:   `\\?\Volume{0e2d6f3a-5a0b-4c58-9d4b-2f1f9d6f5b11}\`,
			Layers: []schema.Layer{{Id: "5a4e7f0c-4d19-5c1e-8b4f-6b2f3f7a1c2d", Path: `C:\layers\1`}},
		}},
	}
}

// validate decodes a document into d. It returns the code and the message of the
// service for an invalid one.
func validate(id, document string, d *schema.ComputeSystem) (hcs.Code, string) {
	if id == "" || len(id) > 255 {
		return hcs.CodeWin32InvalidArgument, "the id has a wrong length"
	}
	if err := schema.Unmarshal([]byte(document), d); err != nil {
		return hcs.CodeInvalidJSON, "not a document: " + err.Error()
	}
	if where := strict(*d); where != "" {
		return hcs.CodeInvalidJSON, "unknown field " + where
	}
	switch {
	case d.SchemaVersion == nil || d.SchemaVersion.Major != 2:
		return hcs.CodeInvalidJSON, "schema version"
	case d.VirtualMachine != nil || d.HostedSystem != nil || d.Container == nil:
		return hcs.CodeWin32NotSupported, "only containers are simulated"
	}
	if why := checkContainer(d.Container); why != "" {
		return hcs.CodeInvalidJSON, why
	}
	return 0, ""
}

func checkContainer(c *schema.Container) string {
	for _, why := range []string{checkProcessor(c.Processor), checkStorage(c.Storage), checkRegistry(c.RegistryChanges)} {
		if why != "" {
			return why
		}
	}
	for _, m := range c.MappedDirectories {
		if !absolute(m.HostPath) || !absolute(m.ContainerPath) && !drive(m.ContainerPath) {
			return "mapped directory: both paths have to be absolute"
		}
		// See https://github.com/containerd/containerd/pull/6651: D: is taken, D:\ is an incorrect parameter.
		if strings.HasSuffix(m.ContainerPath, `\`) || strings.EqualFold(m.ContainerPath, "C:") {
			return "mapped directory: " + m.ContainerPath + " cannot be a path in the container"
		}
	}
	for _, m := range c.MappedPipes {
		if !strings.HasPrefix(m.HostPath, `\\.\pipe\`) || m.ContainerPipeName == "" || strings.Contains(m.ContainerPipeName, `\\`) {
			return "mapped pipe: a path of the host and a bare name are wanted"
		}
	}
	for _, d := range c.AssignedDevices {
		if (d.Type == schema.DeviceInstance) != (d.LocationPath != "") {
			return "device: location path and type do not go together"
		}
		if d.Type != schema.DeviceInstance && !class.MatchString(d.InterfaceClassGuid) {
			return "device: the interface class is no GUID"
		}
	}
	if g := c.GuestOs; g != nil && len(g.HostName) > 63 {
		return "host name: longer than 63 characters"
	}
	return ""
}

// drive reports whether path is a drive by its letter alone.
func drive(path string) bool { return len(path) == 2 && path[1] == ':' }

// class is the form of an interface class.
var class = regexp.MustCompile(`(?i)^\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$`)

func checkProcessor(p *schema.Processor) string {
	if p == nil {
		return ""
	}
	set := 0
	for _, v := range []int64{int64(p.Count), p.Maximum, p.Weight} {
		if v < 0 || v > 10000 {
			return "processor: out of range"
		}
		if v != 0 {
			set++
		}
	}
	if set > 1 {
		return "processor: count, maximum and weight exclude each other"
	}
	return ""
}

func checkStorage(s *schema.Storage) string {
	switch {
	case s == nil || len(s.Layers) == 0:
		return "storage: layers are missing"
	case !strings.HasPrefix(s.Path, `\\?\Volume{`):
		return "storage: the path is no volume"
	}
	for _, l := range s.Layers {
		if len(l.Id) != 36 || !absolute(l.Path) {
			return "storage: a layer wants a GUID and an absolute path"
		}
	}
	return ""
}

func checkRegistry(r *schema.RegistryChanges) string {
	if r == nil {
		return ""
	}
	for _, v := range r.AddValues {
		set := 0
		for _, is := range []bool{v.StringValue != "", v.BinaryValue != nil, v.DWordValue != nil, v.QWordValue != nil} {
			if is {
				set++
			}
		}
		if v.Key == nil || set != 1 {
			return fmt.Sprintf("registry value %s: one key and one value are wanted", v.Name)
		}
	}
	return ""
}

// absolute reports whether p starts at a drive or a volume.
func absolute(p string) bool {
	return strings.HasPrefix(p, `\\?\`) || len(p) >= 3 && p[1] == ':' && p[2] == '\\'
}

// strict returns the path of the first member of a document that has no field,
// which the service refuses.
func strict(document any) string { return strictIn(reflect.ValueOf(document), "$") }

func strictIn(v reflect.Value, path string) string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return strictIn(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if where := strictIn(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); where != "" {
				return where
			}
		}
	case reflect.Struct:
		for f, field := range v.Fields() {
			if u, ok := field.Interface().(schema.Unknown); ok {
				for name := range u {
					return path + "." + name
				}
				continue
			}
			if where := strictIn(field, path+"."+f.Name); where != "" {
				return where
			}
		}
	}
	return ""
}
