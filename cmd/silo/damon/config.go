package damon

import (
	"errors"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/siloshim/siloshim/cmd/silo/supervisor"
)

// The least limits. Damon had the first; Windows does not start a process reliably with less than the second.
const (
	minMHz      = 100
	minMemoryMB = 8
)

// Config has the settings of a task.
type Config struct {
	LogFile      string
	LogMaxSize   int // megabytes
	LogMaxFiles  int // rotated files that are kept beside the current one; 0 keeps all
	CPUMHz       uint64
	EnforceCPU   bool
	MemoryMB     uint64 // the memory reserved for the task
	HardMemoryMB uint64 // the limit; MemoryMB unless Nomad allows more; 0 for none
	EnforceMem   bool
	Restricted   bool
	StopSignals  []supervisor.Signal
	Address      string // of the metrics; empty for none
	Endpoint     string
	Compat       bool // the metrics have the series of Damon, too
	// Labels are those of every metric and of every line of the log, by the names of Damon.
	Labels prometheus.Labels
}

// variables are the environment, with the errors of all of them collected.
type variables struct {
	get  func(string) string
	errs []error
}

// FromEnvironment reads the variables DAMON_* and NOMAD_*. dir is the working directory. The error names every variable
// that cannot be parsed. It has no values, which may be secrets.
func FromEnvironment(get func(string) string, dir string) (*Config, error) {
	v := &variables{get: get}
	c := &Config{
		LogFile:    logFile(get, dir),
		LogMaxSize: int(v.whole(10, 1, "DAMON_LOG_MAX_SIZE")), LogMaxFiles: int(v.whole(5, 0, "DAMON_LOG_MAX_FILES")),
		CPUMHz:      v.whole(0, 0, "DAMON_CPU_LIMIT", "NOMAD_CPU_LIMIT"),
		EnforceCPU:  v.yes(true, "DAMON_ENFORCE_CPU_LIMIT"),
		MemoryMB:    v.whole(0, 0, "DAMON_MEMORY_LIMIT", "NOMAD_MEMORY_LIMIT"),
		EnforceMem:  v.yes(true, "DAMON_ENFORCE_MEMORY_LIMIT"),
		Restricted:  v.yes(false, "DAMON_RESTRICTED_TOKEN"),
		StopSignals: v.signals("DAMON_STOP_SIGNAL"),
		Address:     v.first("DAMON_ADDR", "NOMAD_ADDR_damon"),
		Endpoint:    v.first("DAMON_METRICS_ENDPOINT"),
		Compat:      v.yes(true, "DAMON_METRICS_COMPAT"),
		Labels:      labels(get),
	}
	if c.Endpoint == "" {
		c.Endpoint = "/metrics"
	}
	c.HardMemoryMB = v.hardMemory(c.MemoryMB)
	v.check(c)
	return c, errors.Join(v.errs...)
}

// unlimited is the NOMAD_MEMORY_MAX_LIMIT of a task with memory_max = -1: Nomad only reserves its memory.
const unlimited = "-1"

// hardMemory returns the limit in megabytes of a task for which memory is reserved, or 0 for none. DAMON_MEMORY_LIMIT is
// both, so that Nomad's maximum does not apply beside it.
func (v *variables) hardMemory(reserved uint64) uint64 {
	most, own := uint64(0), v.get("DAMON_MEMORY_LIMIT") != ""
	if v.get("NOMAD_MEMORY_MAX_LIMIT") != unlimited {
		most = v.whole(0, 0, "NOMAD_MEMORY_MAX_LIMIT")
	} else if !own {
		return 0
	}
	if own {
		return reserved
	}
	return max(reserved, most)
}

// check validates the settings that depend on several variables.
func (v *variables) check(c *Config) {
	if c.EnforceCPU && c.CPUMHz > 0 && c.CPUMHz < minMHz {
		v.fail("the CPU limit is %d MHz, want %d at least", c.CPUMHz, minMHz)
	}
	if c.EnforceMem && c.MemoryMB > 0 && c.MemoryMB < minMemoryMB {
		v.fail("the memory limit is %d MB, want %d at least", c.MemoryMB, minMemoryMB)
	}
	if !strings.HasPrefix(c.Endpoint, "/") || strings.ContainsAny(c.Endpoint, " {}") {
		v.fail("DAMON_METRICS_ENDPOINT is not a path such as /metrics")
	}
	if c.Address != "" {
		if _, _, err := net.SplitHostPort(c.Address); err != nil {
			v.fail("DAMON_ADDR or NOMAD_ADDR_damon is not HOST:PORT")
		}
	}
}

func (v *variables) fail(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(format, args...))
}

// first returns the first of the variables that is not empty.
func (v *variables) first(names ...string) string {
	for _, name := range names {
		if text := v.get(name); text != "" {
			return text
		}
	}
	return ""
}

// whole reads a number from low to high; the first of the variables that is not empty counts, even if it is 0.
func (v *variables) whole(fallback, low uint64, names ...string) uint64 {
	for _, name := range names {
		text := v.get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || uint64(n) < low || n > math.MaxInt32 {
			v.fail("%s is not a whole number from %d to %d", name, low, math.MaxInt32)
			return fallback
		}
		return uint64(n)
	}
	return fallback
}

// yes reads a boolean in the syntax of Damon.
func (v *variables) yes(fallback bool, name string) bool {
	switch strings.ToLower(strings.TrimSpace(v.get(name))) {
	case "":
	case "y", "yes", "true", "1":
		return true
	case "n", "no", "false", "0":
		return false
	default:
		v.fail("%s is not one of y, yes, true, 1, n, no, false, 0", name)
	}
	return fallback
}

// signals reads console control events. Damon sent Ctrl+Break.
func (v *variables) signals(name string) []supervisor.Signal {
	text := v.get(name)
	if text == "" {
		return []supervisor.Signal{supervisor.CtrlBreak}
	}
	list, err := supervisor.ParseSignals(text)
	if err != nil {
		v.fail("%s is not a list of ctrl-c, ctrl-break, ctrl-close, ctrl-logoff, ctrl-shutdown", name)
	}
	return list
}

// logFile returns the path of Damon's log.
func logFile(get func(string) string, dir string) string {
	if d := get("DAMON_LOG_DIR"); d != "" {
		dir = d
	} else if d := get("NOMAD_ALLOC_DIR"); d != "" {
		dir = filepath.Join(d, "logs")
	}
	name := get("DAMON_LOG_NAME")
	if name == "" {
		name = "damon.log"
		if task := get("NOMAD_TASK_NAME"); task != "" {
			suffix := get("DAMON_NOMAD_LOG_SUFFIX")
			if suffix == "" {
				suffix = ".damon.log"
			}
			name = task + suffix
		}
	}
	return filepath.Join(dir, name)
}

// labels has a label for each variable that is set.
func labels(get func(string) string) prometheus.Labels {
	all := prometheus.Labels{}
	for label, name := range map[string]string{
		"nomad_dc": "NOMAD_DC", "nomad_region": "NOMAD_REGION", "nomad_job_name": "NOMAD_JOB_NAME",
		"nomad_group_name": "NOMAD_GROUP_NAME", "nomad_task_name": "NOMAD_TASK_NAME",
		"nomad_alloc_id": "NOMAD_ALLOC_ID", "nomad_alloc_index": "NOMAD_ALLOC_INDEX",
	} {
		if value := get(name); value != "" {
			all[label] = value
		}
	}
	return all
}
