package wcow

import (
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/schema"
)

// Nspawn is the specification of the container of a configuration of hostcompute_nspawn, over layers that end with the
// scratch layer. Arguments are quoted, so that each arrives as it is written; that tool joined them with blanks and passed
// them to cmd.exe. The service takes either a count of processors or a percentage. A configuration with both loses the
// count, which that tool's documentation says was never enforced, and dropped has a warning.
func Nspawn(n *schema.NspawnConfig, layers []string) (s *specs.Spec, dropped []string) {
	cpu := &specs.WindowsCPUResources{}
	switch {
	case n.MaxCPUPercent > 0:
		cpu.Maximum = new(uint16(min(uint32(n.MaxCPUPercent)*100, 0xFFFF)))
		if n.CPUsCount > 0 {
			dropped = append(dropped, "cpus_count: max_cpu_percent is the limit, and the service takes one of them")
		}
	case n.CPUsCount > 0:
		cpu.Count = new(uint64(n.CPUsCount))
	}
	if n.CPUAffinity > 0 {
		cpu.Affinity = []specs.WindowsCPUGroupAffinity{{Mask: uint64(n.CPUAffinity)}}
	}
	r := &specs.WindowsResources{CPU: cpu}
	if n.MaxRAMMB > 0 {
		r.Memory = &specs.WindowsMemoryResources{Limit: new(uint64(n.MaxRAMMB) << 20)}
	}
	if n.MaxStorageIOPS > 0 || n.MaxStorageBPS > 0 {
		r.Storage = &specs.WindowsStorageResources{Iops: new(uint64(n.MaxStorageIOPS)), Bps: new(uint64(n.MaxStorageBPS))}
	}
	inside := strings.TrimRight(n.MappedDirectory, `\`)
	return &specs.Spec{
		Process: &specs.Process{Args: append([]string{inside + `\` + n.ProcessExecutable}, n.ProcessArguments...), Cwd: n.MappedDirectory},
		Mounts:  []specs.Mount{{Source: n.ProcessDirectory, Destination: n.MappedDirectory}},
		Windows: &specs.Windows{LayerFolders: layers, Resources: r},
	}, dropped
}

// NspawnOutput is the file of the host that receives the program's output, or "" for none. That tool's shell wrote it in
// the mapped directory. Here silo writes it on the host, so a name that leads out of that directory is an error.
func NspawnOutput(n *schema.NspawnConfig) (string, error) {
	name := n.StdoutFilename
	if name == "" {
		return "", nil
	}
	if strings.ContainsAny(name, ":\x00") || strings.HasPrefix(name, `\`) {
		return "", fmt.Errorf("stdout_filename %q: name a file below process_directory", name)
	}
	for part := range strings.SplitSeq(name, `\`) {
		if part == ".." {
			return "", fmt.Errorf("stdout_filename %q: name a file below process_directory", name)
		}
	}
	return strings.TrimRight(n.ProcessDirectory, `\`) + `\` + name, nil
}
