package limit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// big is a machine with two groups and two NUMA nodes in the first.
var big = limit.Machine{
	Groups: []int{64, 16}, MHz: 2000,
	Nodes: []limit.Node{{Mask: 0x00000000FFFFFFFF}, {Mask: 0xFFFFFFFF00000000}, {Mask: 0xFFFF, Group: 1}},
}

// small is a machine of eight processors.
var small = limit.Machine{Groups: []int{8}, MHz: 2400, Nodes: []limit.Node{{Mask: 0xF}, {Mask: 0xF0}}}

func apply(t *testing.T, m limit.Machine, base jobobject.Limits, args ...string) (jobobject.Limits, error) {
	t.Helper()
	var f limit.Flags
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f.Apply(base, m)
}

func TestFlags_Apply_SetsLimits(t *testing.T) {
	three := uint8(3)
	for _, c := range []struct {
		args string
		want jobobject.Limits
	}{
		{"--memory 512m", jobobject.Limits{JobMemory: 512 << 20}},
		{"--memory 512Mi --process-memory 65536Ki", jobobject.Limits{JobMemory: 512 << 20, ProcessMemory: 64 << 20}},
		{"--memory 1Ti --process-memory 1.5Gi", jobobject.Limits{JobMemory: 1 << 40, ProcessMemory: 3 << 29}},
		{"--memory 1.5GiB --process-memory 64m", jobobject.Limits{JobMemory: 3 << 29, ProcessMemory: 64 << 20}},
		{"--cpus 1.5", jobobject.Limits{CPURate: 1875}},
		{"--cpu-percent 0.01", jobobject.Limits{CPURate: 1}},
		{"--cpu-mhz 1024", jobobject.Limits{CPURate: 533}},
		{"--cpu-weight 9", jobobject.Limits{CPUWeight: 9}},
		{"--cpu-range 10:50", jobobject.Limits{CPUMinRate: 1000, CPUMaxRate: 5000}},
		{"--affinity 3", jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 7}}}},
		{"--affinity 0x81", jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 0x81}}}},
		{"--affinity n1", jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 0xF0}}}},
		{"--affinity n1:0x3,0x1", jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 0x31}}}},
		{"-m 512m", jobobject.Limits{JobMemory: 512 << 20}},
		{"--memory 512MB --process-memory 65536KB", jobobject.Limits{JobMemory: 512 << 20, ProcessMemory: 64 << 20}},
		{"--priority BelowNormal", jobobject.Limits{PriorityClass: jobobject.PriorityBelowNormal}},
		{"--priority ABOVE_NORMAL", jobobject.Limits{PriorityClass: jobobject.PriorityAboveNormal}},
		{"--priority Idle --breakaway OnRequest", jobobject.Limits{PriorityClass: jobobject.PriorityIdle, Breakaway: jobobject.BreakawayOnRequest}},
		{"--cpus 0.0008", jobobject.Limits{CPURate: 1}},
		{"--net-rate 8kbit", jobobject.Limits{NetBandwidth: 1000}},
		{"--net-dscp 0 --scheduling-class 0", jobobject.Limits{NetDSCP: new(uint8), SchedulingClass: new(uint8)}},
		{"--breakaway never --ui none --memory None", jobobject.Limits{}},
		{"--priority below-normal --scheduling-class 3", jobobject.Limits{PriorityClass: jobobject.PriorityBelowNormal, SchedulingClass: &three}},
		{"--max-processes 5 --breakaway on-request", jobobject.Limits{ActiveProcesses: 5, Breakaway: jobobject.BreakawayOnRequest}},
		{"--net-rate 8mbit --net-dscp 3", jobobject.Limits{NetBandwidth: 1_000_000, NetDSCP: &three}},
		{"--ui desktop,exit-windows", jobobject.Limits{UI: jobobject.UIDesktop | jobobject.UIExitWindows}},
		{"--working-set 16m:32m", jobobject.Limits{MinWorkingSet: 16 << 20, MaxWorkingSet: 32 << 20}},
	} {
		t.Run(c.args, func(t *testing.T) {
			got, err := apply(t, small, jobobject.Limits{}, strings.Fields(c.args)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMachine_AffinityBeforeServer2022_RefusesGroups names the build: a job there keeps to group 0.
func TestMachine_AffinityBeforeServer2022_RefusesGroups(t *testing.T) {
	m := big
	for _, c := range []struct {
		build   uint32
		text    string
		refused bool
	}{
		{17763, "66", true}, {17763, "g1:0xF", true}, {17763, "0xF", false},
		{20348, "66", false}, {20348, "g1:0xF", false}, {0, "66", false},
	} {
		m.Build = c.build
		_, err := m.Affinity(c.text)
		if (err != nil) != c.refused || c.refused && !strings.Contains(err.Error(), "build 17763") {
			t.Errorf("affinity %s on build %d: %v, want a refusal: %t", c.text, c.build, err, c.refused)
		}
	}
}

func TestMachine_Affinity_AcrossGroups(t *testing.T) {
	for text, want := range map[string][]jobobject.GroupAffinity{
		"66":     {{Mask: ^uint64(0)}, {Mask: 3, Group: 1}},
		"g1:0xF": {{Mask: 0xF, Group: 1}},
		"n2":     {{Mask: 0xFFFF, Group: 1}},
		"n1:0x1": {{Mask: 1 << 32}},
	} {
		got, err := big.Affinity(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "0", "81", "0x0", "n3", "n", ":", ":0x1", "g2:0x1", "g1:0x10000", "g1", "n1:0x100000000", "zwei", "3,"} {
		if got, err := big.Affinity(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

// TestMachine_AffinityOfNodeInTwoGroups_HasBoth: all of its processors are meant. A node without any keeps its number.
func TestMachine_AffinityOfNodeInTwoGroups_HasBoth(t *testing.T) {
	m := limit.Machine{Groups: []int{64, 64}, Nodes: []limit.Node{
		{Mask: 0xFF, More: []jobobject.GroupAffinity{{Mask: 0xF, Group: 1}}}, {}, {Mask: 0xF0, Group: 1},
	}}
	for text, want := range map[string][]jobobject.GroupAffinity{
		"n0": {{Mask: 0xFF}, {Mask: 0xF, Group: 1}}, "n2": {{Mask: 0xF0, Group: 1}}, "n0,n2": {{Mask: 0xFF}, {Mask: 0xFF, Group: 1}},
	} {
		got, err := m.Affinity(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for text, want := range map[string]string{"n1": "NUMA node 1 has no processors", "n0:0x1": "several processor groups; use a mask of each, such as g0:0xF"} {
		if _, err := m.Affinity(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestFlags_BadValue_Refused(t *testing.T) {
	for args, want := range map[string]string{
		"--memory 12x":                    "--memory",
		"--memory 4m":                     "use 8 MiB or more",
		"--memory -1":                     "--memory",
		"--cpus 9":                        "0.0008 to 8",
		"--cpus NaN":                      "--cpus",
		"--cpus 1 --cpu-weight 3":         "--cpus and --cpu-weight exclude each other",
		"--cpu-percent 100.1":             "0.01 to 100",
		"--cpu-range 50:10":               "exchange them",
		"--cpu-range 50":                  "--cpu-range",
		"--priority urgent":               "below-normal",
		"--user-time 5":                   "90s",
		"--process-user-time 1us":         "1ms or more",
		"--net-rate 1":                    "8kbit or more",
		"--net-rate 999":                  "8kbit or more",
		"--net-rate 1bps":                 "8kbit or more",
		"--net-dscp 64":                   "0 to 63",
		"--affinity none":                 "cannot be removed",
		"--memory 8m --process-memory 9m": "--process-memory 9 MiB is larger than --memory 8 MiB",
		"--working-set 0:32m":             "16m:256m",
		"--working-set 32m:16m":           "16m:256m",
		"--working-set 32m":               "MIN:MAX",
		"--cpus 0.0001":                   "from 0.0008 to 8",
		"--cpu-percent 0.001":             "from 0.01 to 100",
	} {
		_, err := apply(t, small, jobobject.Limits{}, strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", args, err, want)
		}
	}
	if _, err := apply(t, limit.Machine{Groups: []int{4}}, jobobject.Limits{}, "--cpu-mhz", "500"); err == nil {
		t.Error("MHz are converted with an unknown speed")
	}
}

// TestFlags_ZeroValue_Refused: a value that would mean no limit must not look like one. "none" removes a limit.
func TestFlags_ZeroValue_Refused(t *testing.T) {
	base := jobobject.Limits{JobMemory: 1 << 30, CPURate: 500}
	for _, args := range []string{
		"--memory 0", "--memory 0.0", "--process-memory 0", "--working-set 0:0", "--cpus 0", "--cpus 0.0", "--cpu-percent 0", "--cpu-mhz 0",
		"--cpu-weight 0", "--max-processes 0", "--user-time 0", "--process-user-time 0", "--net-rate 0", "--ui 0", "--priority 0",
	} {
		_, err := apply(t, small, base, strings.Fields(args)...)
		flag, value, _ := strings.Cut(args, " ")
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("%s: %q is no limit; use \"none\"", flag, value)) {
			t.Errorf("%s: %v, want a refusal that names the flag, the value and none", args, err)
		}
	}
	if _, err := apply(t, limit.Machine{Groups: []int{64}, MHz: 3000}, base, "--cpu-mhz", "18"); err == nil || !strings.Contains(err.Error(), "19 MHz") {
		t.Errorf("less than the smallest rate: %v, want a refusal with that", err)
	}
}

func TestFlags_OtherProcessorLimit_ReplacesTheFirst(t *testing.T) {
	base := jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, CPURate: 5000}
	got, err := apply(t, small, base, "--cpu-weight", "2")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, CPUWeight: 2}, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	got, err = apply(t, small, base, "--cpus", "none", "--memory", "none")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(jobobject.Limits{KillOnClose: true}, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
}

// picky refuses a processor rate, as a kernel without the facility does.
type picky struct {
	*jobobject.Job
}

var errPicky = errors.New("no rates here")

func (p picky) SetLimits(ctx context.Context, l jobobject.Limits) error {
	if l.CPURate != 0 {
		return errPicky
	}
	return p.Job.SetLimits(ctx, l)
}

func TestSet_BestEffort_AppliesTheRest(t *testing.T) {
	k := jobtest.New()
	job, err := jobobject.Create(jobobject.Options{Name: "j", Kernel: k, KillOnClose: true})
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	wanted := jobobject.Limits{KillOnClose: true, JobMemory: 1 << 30, CPURate: 100, ActiveProcesses: 7}
	if _, err := limit.Set(t.Context(), picky{job}, wanted, false); !errors.Is(err, errPicky) {
		t.Errorf("without best effort: %v, want the refusal", err)
	}
	warnings, err := limit.Set(t.Context(), picky{job}, wanted, true)
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], "limit cpu was not applied") {
		t.Errorf("warnings %q, error %v; want one of the cpu", warnings, err)
	}
	got, _ := k.Limits("j")
	wanted.CPURate = 0
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("limits in force (-want +got):\n%s", diff)
	}
}

func TestDescribe_AllLimits_ALineEach(t *testing.T) {
	l, err := apply(t, small, jobobject.Limits{KillOnClose: true}, "--memory", "512m", "--cpus", "1.5", "--affinity", "n0",
		"--priority", "high", "--max-processes", "3", "--user-time", "1m", "--net-rate", "1mb", "--ui", "all")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range limit.Describe(l, small) {
		got = append(got, line.Limit+"="+line.Value)
	}
	want := []string{"kill-on-close=yes", "memory=512 MiB", "cpus=1.5 (18.75 % of 8 processors)", "affinity=g0:0xf", "priority=high",
		"max-processes=3", "user-time=1m0s", "net-rate=1000000 bytes a second", "ui=all"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func FuzzAffinity(f *testing.F) {
	for _, seed := range []string{"4", "0x3", "n0", "g1:0xF", "n0:0x3,2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := big.Affinity(text)
		for _, a := range list {
			if err == nil && (a.Mask == 0 || int(a.Group) >= len(big.Groups)) {
				t.Errorf("%q gives %v", text, list)
			}
		}
	})
}

// FuzzFlags: the value of each flag is refused, or gives limits that are valid and can be described.
func FuzzFlags(f *testing.F) {
	var all limit.Flags
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	all.Register(set)
	var names []string
	set.VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	for i := range names {
		for _, seed := range []string{"512m", "1.5", "10:50", "0x81", "n1:0x3", "BelowNormal", "90s", "10mbit", "none", "0", "100m:200m", "all"} {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, text string) {
		flag := "--" + names[int(i)%len(names)] + "=" + text
		for _, m := range []limit.Machine{small, big} {
			l, err := apply(t, m, jobobject.Limits{}, flag)
			if err != nil {
				continue
			}
			if err := l.Validate(); err != nil {
				t.Errorf("%s: %v", flag, err)
			}
			for _, line := range limit.Describe(l, m) {
				if line.Limit == "" || line.Value == "" {
					t.Errorf("%s is described as %+v", flag, line)
				}
			}
		}
	})
}
