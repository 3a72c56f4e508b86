package limit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/siloshim/siloshim/internal/size"
	"github.com/siloshim/siloshim/jobobject"
)

// MinMemory is the least limit on the memory of a job, in bytes. Windows containers are known to hang below it.
const MinMemory = 8 << 20

// minNetRate is the least limit on network traffic, in bytes a second: a number without its unit would stop all traffic.
const minNetRate = 1000

// minUserTime is the least limit on processor time. Windows counts it at each clock interrupt, 64 times a second.
const minUserTime = time.Millisecond

// settings are all flags. The order is the order of application; the help sorts by name.
var settings = []setting{
	{flag: "memory", short: "m", value: "size", usage: "committed memory of all processes together, such as 512m",
		set: func(l *jobobject.Limits, s string, _ Machine) error { return setMemory(&l.JobMemory, s) }, clear: func(l *jobobject.Limits) { l.JobMemory = 0 }},
	{flag: "process-memory", value: "size", usage: "committed memory of each process",
		set: func(l *jobobject.Limits, s string, _ Machine) error { return setMemory(&l.ProcessMemory, s) }, clear: func(l *jobobject.Limits) { l.ProcessMemory = 0 }},
	{flag: "working-set", value: "min:max", usage: "resident memory that each process keeps, and is trimmed to, such as 16m:256m",
		set: setWorkingSet, clear: func(l *jobobject.Limits) { l.MinWorkingSet, l.MaxWorkingSet = 0, 0 }},
	{flag: "cpus", value: "number", cpu: true, usage: "processor time, in processors, such as 1.5",
		set: func(l *jobobject.Limits, s string, m Machine) error {
			v, err := parseFloat(s, jobobject.CPUsOfRate(1, m.Processors()), float64(m.Processors()))
			l.CPURate = jobobject.RateOfCPUs(v, m.Processors())
			return err
		}, clear: clearCPU},
	{flag: "cpu-percent", value: "number", cpu: true, usage: "part of the whole machine's processor time, down to 0.01",
		set: func(l *jobobject.Limits, s string, _ Machine) error {
			v, err := parseFloat(s, minPercent, 100)
			l.CPURate = jobobject.RateOfPercent(v)
			return err
		}, clear: clearCPU},
	{flag: "cpu-mhz", value: "mhz", cpu: true, usage: "part of the machine's cycles, as Nomad counts", set: setMHz, clear: clearCPU},
	{flag: "cpu-weight", value: "1-9", cpu: true, usage: "share of the processors under contention; 5 is usual",
		set: func(l *jobobject.Limits, s string, _ Machine) error {
			v, err := parseWhole(s, 1, 9)
			l.CPUWeight = uint32(v)
			return err
		}, clear: clearCPU},
	{flag: "cpu-range", value: "min:max", cpu: true, usage: "reserved and largest percentage of the machine, such as 10:50", set: setRange, clear: clearCPU},
	{flag: "affinity", value: "set", usage: "processors to run on: a count (4), mask (0x3), NUMA node (n0), group mask (g1:0xF), or several with commas",
		set: func(l *jobobject.Limits, s string, m Machine) (err error) {
			l.Affinity, err = m.Affinity(s)
			return err
		}},
	{flag: "priority", value: "class", usage: "idle, below-normal, normal, above-normal, high or realtime, for every process",
		set: setPriority, clear: func(l *jobobject.Limits) { l.PriorityClass = 0 }},
	{flag: "scheduling-class", value: "0-9", usage: "length of the time slices; 5 is usual",
		set: func(l *jobobject.Limits, s string, _ Machine) error { return setSmall(&l.SchedulingClass, s, 9) }, clear: func(l *jobobject.Limits) { l.SchedulingClass = nil }},
	{flag: "max-processes", value: "number", usage: "largest number of processes; starting one more fails",
		set: func(l *jobobject.Limits, s string, _ Machine) error {
			v, err := parseWhole(s, 1, math.MaxUint32)
			l.ActiveProcesses = uint32(v)
			return err
		}, clear: func(l *jobobject.Limits) { l.ActiveProcesses = 0 }},
	{flag: "user-time", value: "time", usage: "user time of all processes together, after which they are terminated, such as 10m",
		set: func(l *jobobject.Limits, s string, _ Machine) (err error) {
			l.JobUserTime, err = parseTime(s)
			return err
		}, clear: func(l *jobobject.Limits) { l.JobUserTime = 0 }},
	{flag: "process-user-time", value: "time", usage: "user time of each process, after which it is terminated",
		set: func(l *jobobject.Limits, s string, _ Machine) (err error) {
			l.ProcessUserTime, err = parseTime(s)
			return err
		}, clear: func(l *jobobject.Limits) { l.ProcessUserTime = 0 }},
	{flag: "net-rate", value: "rate", usage: "outgoing network traffic, such as 10mbit or 2mb/s",
		set: setNetRate, clear: func(l *jobobject.Limits) { l.NetBandwidth = 0 }},
	{flag: "net-dscp", value: "0-63", usage: "DSCP value of outgoing packets",
		set: func(l *jobobject.Limits, s string, _ Machine) error { return setSmall(&l.NetDSCP, s, 63) }, clear: func(l *jobobject.Limits) { l.NetDSCP = nil }},
	{flag: "ui", value: "list", usage: "forbidden uses of the desktop: handles, read-clipboard, write-clipboard, system-parameters, display-settings, global-atoms, desktop, exit-windows, all",
		set: setUI, clear: func(l *jobobject.Limits) { l.UI = 0 }},
	{flag: "breakaway", value: "rule", usage: "whether children may leave the job: never, on-request or always", off: "never", set: setBreakaway,
		clear: func(l *jobobject.Limits) { l.Breakaway = jobobject.BreakawayNever }},
}

func clearCPU(l *jobobject.Limits) { l.CPURate, l.CPUWeight, l.CPUMinRate, l.CPUMaxRate = 0, 0, 0, 0 }

func setMemory(to *uint64, text string) error {
	v, err := size.Parse(text)
	if err == nil && v < MinMemory {
		err = fmt.Errorf("%q is too small: Windows does not start a process reliably; use %s or more", text, size.Format(MinMemory))
	}
	*to = v
	return err
}

func setWorkingSet(l *jobobject.Limits, text string, _ Machine) (err error) {
	low, high, both := strings.Cut(text, ":")
	if !both {
		return fmt.Errorf("%q is not MIN:MAX, such as 16m:256m", text)
	}
	if l.MinWorkingSet, err = size.Parse(low); err != nil {
		return err
	}
	if l.MaxWorkingSet, err = size.Parse(high); err != nil {
		return err
	}
	if (l.MinWorkingSet == 0) != (l.MaxWorkingSet == 0) || l.MinWorkingSet > l.MaxWorkingSet {
		return fmt.Errorf("%q: want MIN:MAX, both above 0 and the smaller one first, such as 16m:256m", text)
	}
	return nil
}

// minPercent is the unit of a processor rate, as a percentage of the machine.
const minPercent = 0.01

func setMHz(l *jobobject.Limits, text string, m Machine) error {
	v, err := parseWhole(text, 1, math.MaxUint32)
	if err != nil {
		return err
	}
	if m.MHz == 0 {
		return fmt.Errorf("%q: the speed of this machine's processors is unknown; use --cpus or --cpu-percent", text)
	}
	if least := m.MHz * uint64(m.Processors()) / jobobject.AllProcessors; v < least {
		return fmt.Errorf("%q is less than the smallest rate, %d MHz of this machine's %d processors", text, least, m.Processors())
	}
	l.CPURate = jobobject.RateOfMHz(v, m.Processors(), m.MHz)
	return nil
}

func setNetRate(l *jobobject.Limits, text string, _ Machine) error {
	v, err := size.ParseRate(text)
	if err == nil && v < minNetRate {
		err = fmt.Errorf("%q is %d bytes a second, too few for a connection; use 8kbit or more and name the unit", text, v)
	}
	l.NetBandwidth = v
	return err
}

func setRange(l *jobobject.Limits, text string, _ Machine) error {
	low, high, both := strings.Cut(text, ":")
	if !both {
		return fmt.Errorf("%q is not MIN:MAX in percent, such as 10:50", text)
	}
	least, err := parseFloat(low, minPercent, 100)
	if err != nil {
		return err
	}
	most, err := parseFloat(high, minPercent, 100)
	if err == nil && least > most {
		err = fmt.Errorf("%q: the first percentage is larger than the second; exchange them", text)
	}
	l.CPUMinRate, l.CPUMaxRate = jobobject.RateOfPercent(least), jobobject.RateOfPercent(most)
	return err
}

func setSmall(to **uint8, text string, high uint64) error {
	v, err := parseWhole(text, 0, high)
	small := uint8(v)
	*to = &small
	return err
}

var priorities = names[jobobject.PriorityClass]{
	{"idle", jobobject.PriorityIdle}, {"below-normal", jobobject.PriorityBelowNormal}, {"normal", jobobject.PriorityNormal},
	{"above-normal", jobobject.PriorityAboveNormal}, {"high", jobobject.PriorityHigh}, {"realtime", jobobject.PriorityRealtime},
}

var breakaways = names[jobobject.Breakaway]{
	{"never", jobobject.BreakawayNever}, {"on-request", jobobject.BreakawayOnRequest}, {"always", jobobject.BreakawayAlways},
}

var restrictions = names[jobobject.UIRestrictions]{
	{"handles", jobobject.UIHandles}, {"read-clipboard", jobobject.UIReadClipboard}, {"write-clipboard", jobobject.UIWriteClipboard},
	{"system-parameters", jobobject.UISystemParameters}, {"display-settings", jobobject.UIDisplaySettings},
	{"global-atoms", jobobject.UIGlobalAtoms}, {"desktop", jobobject.UIDesktop}, {"exit-windows", jobobject.UIExitWindows},
	{"all", jobobject.UIAll},
}

func setPriority(l *jobobject.Limits, text string, _ Machine) (err error) {
	l.PriorityClass, err = priorities.find(text)
	return err
}

func setBreakaway(l *jobobject.Limits, text string, _ Machine) (err error) {
	l.Breakaway, err = breakaways.find(text)
	return err
}

func setUI(l *jobobject.Limits, text string, _ Machine) error {
	l.UI = 0
	for word := range strings.SplitSeq(text, ",") {
		v, err := restrictions.find(strings.TrimSpace(word))
		if err != nil {
			return err
		}
		l.UI |= v
	}
	return nil
}

// names are values by the word for them.
type names[T comparable] []struct {
	word  string
	value T
}

// find ignores the case and the separators of a word: PowerShell and Process Governor write BelowNormal.
func (n names[T]) find(word string) (T, error) {
	plain := func(w string) string { return strings.ToLower(separators.Replace(w)) }
	for _, e := range n {
		if plain(e.word) == plain(word) {
			return e.value, nil
		}
	}
	var none T
	return none, fmt.Errorf("%q is not one of %s", word, strings.Join(n.words(), ", "))
}

var separators = strings.NewReplacer("-", "", "_", "")

func (n names[T]) words() []string {
	var all []string
	for _, e := range n {
		all = append(all, e.word)
	}
	return all
}

// word is the first name of value.
func (n names[T]) word(value T) string {
	for _, e := range n {
		if e.value == value {
			return e.word
		}
	}
	return fmt.Sprint(value)
}

// parseFloat reads a number from low to high.
func parseFloat(text string, low, high float64) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= low) || v > high {
		return 0, fmt.Errorf("%q is not a number from %v to %v", text, low, high)
	}
	return v, nil
}

// parseWhole reads a whole number from low to high.
func parseWhole(text string, low, high uint64) (uint64, error) {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil || v < low || v > high {
		return 0, fmt.Errorf("%q is not a whole number from %d to %d", text, low, high)
	}
	return v, nil
}

func parseTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < minUserTime {
		return 0, fmt.Errorf("%q is not a time of %v or more, such as 90s or 1h30m", text, minUserTime)
	}
	return d, nil
}
