package plan

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/schema"
)

// maxTimeout, in milliseconds, is how long the service control manager inside waits for services when a container stops.
const maxTimeout = math.MaxInt32

// planRegistry plans the registry values of every container, and those for the dumps of crashed processes.
func (v *WCOW) planRegistry(id string, a map[string]string) error {
	control := &schema.RegistryKey{Hive: schema.HiveSystem, Name: `ControlSet001\Control`}
	changes := &schema.RegistryChanges{AddValues: []schema.RegistryValue{
		{Key: control, Name: "WaitToKillServiceTimeout", Type: schema.RegistryString, StringValue: strconv.Itoa(maxTimeout)},
	}}
	v.Document.Container.RegistryChanges = changes
	folder := a[annotations.ContainerProcessDumpLocation]
	if folder == "" {
		return nil
	}
	kind, count, err := dumps(a)
	if err != nil {
		return err
	}
	folder = dumpFolder(folder, id)
	if strings.Contains(strings.ToLower(folder), containerID) {
		v.warn("annotation "+annotations.ContainerProcessDumpLocation, containerID+" is replaced only at the end")
	}
	if err := checkText("annotation "+annotations.ContainerProcessDumpLocation, folder); err != nil {
		return err
	}
	// https://learn.microsoft.com/windows/win32/wer/collecting-user-mode-dumps
	key := &schema.RegistryKey{Hive: schema.HiveSoftware, Name: `Microsoft\Windows\Windows Error Reporting\LocalDumps`}
	changes.AddValues = append(changes.AddValues,
		schema.RegistryValue{Key: key, Name: "DumpFolder", Type: schema.RegistryString, StringValue: folder},
		schema.RegistryValue{Key: key, Name: "DumpType", Type: schema.RegistryDWord, DWordValue: &kind},
		schema.RegistryValue{Key: key, Name: "DumpCount", Type: schema.RegistryDWord, DWordValue: &count},
	)
	return nil
}

// containerID at the end of a dump location is replaced by the id of the container, also in upper case.
const containerID = "{container_id}"

func dumpFolder(folder, id string) string {
	for _, suffix := range []string{containerID, strings.ToUpper(containerID)} {
		if parent, has := strings.CutSuffix(folder, suffix); has {
			return parent + id
		}
	}
	return folder
}

// defaultDumps is the default number of dumps.
const defaultDumps = 10

// dumps returns the type of dumps, and the number that is kept.
func dumps(a map[string]string) (kind, count uint32, err error) {
	switch a[annotations.WCOWProcessDumpType] {
	case "", "full":
		kind = 2
	case "mini":
		kind = 1
	default:
		return 0, 0, fmt.Errorf("annotation %s: use mini or full: %w", annotations.WCOWProcessDumpType, errdefs.ErrInvalidArgument)
	}
	text := a[annotations.WCOWProcessDumpCount]
	if text == "" {
		return kind, defaultDumps, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, 0, fmt.Errorf("annotation %s: it is not a whole number above zero: %w", annotations.WCOWProcessDumpCount, errdefs.ErrInvalidArgument)
	}
	return kind, uint32(n), nil
}
