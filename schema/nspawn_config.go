package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// NspawnConfig is the configuration file of hostcompute_nspawn, a tool that runs one
// program in a Windows Server container. Strings are as written, but for the slashes
// of paths.
type NspawnConfig struct {
	ProcessDirectory     string   `json:"process_directory"`
	ProcessExecutable    string   `json:"process_executable"` // relative to MappedDirectory
	ProcessArguments     []string `json:"process_arguments"`
	MaxRAMMB             uint32   `json:"max_ram_mb"`
	CPUsCount            uint16   `json:"cpus_count"`
	CPUAffinity          uint16   `json:"cpu_affinity_hex"` // a number in spite of its name
	MaxCPUPercent        uint16   `json:"max_cpu_percent"`
	MaxStorageIOPS       uint32   `json:"max_storage_iops"`
	MaxStorageBPS        uint32   `json:"max_storage_bandwidth_bytes_per_sec"`
	MappedDirectory      string   `json:"mapped_directory"`
	StdoutFilename       string   `json:"stdout_filename"`
	ParentLayerDirectory string   `json:"parent_layer_directory"`
}

// ParseNspawnConfig decodes a configuration file, as strictly as the tool does or
// more so: an unknown, missing or misspelt key and anything behind the object are
// errors.
func ParseNspawnConfig(data []byte) (*NspawnConfig, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("read nspawn configuration: %w", err)
	}
	for _, key := range nspawnRequired {
		if _, ok := members[key]; !ok {
			return nil, fmt.Errorf("read nspawn configuration: %s is missing", key)
		}
	}
	n := new(NspawnConfig)
	keys := layoutOf(reflect.TypeFor[NspawnConfig]()).fields
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if !slices.ContainsFunc(keys, func(f field) bool { return f.name == key }) {
			return nil, fmt.Errorf("read nspawn configuration: unknown key %q", key)
		}
	}
	if err := json.Unmarshal(data, n); err != nil {
		return nil, fmt.Errorf("read nspawn configuration: %w", err)
	}
	for _, path := range []*string{
		&n.ProcessDirectory, &n.ProcessExecutable, &n.MappedDirectory, &n.StdoutFilename, &n.ParentLayerDirectory,
	} {
		*path = strings.ReplaceAll(*path, "/", `\`)
	}
	if n.ProcessDirectory == "" {
		return nil, fmt.Errorf("read nspawn configuration: process_directory is empty")
	}
	return n, nil
}

var nspawnRequired = []string{
	"process_directory", "process_executable", "mapped_directory", "stdout_filename", "parent_layer_directory",
}
