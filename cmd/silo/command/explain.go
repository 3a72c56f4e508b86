package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/textfile"
	"github.com/siloshim/siloshim/jobobject"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	limits     limit.Flags
	processors int
	mhz        uint64
	namespace  string
	id         string
}

func (a *App) explainCommand() *cobra.Command {
	f := new(explainFlags)
	c := &cobra.Command{
		Use:   "explain [file] [limits]",
		Short: "Show the calls that limits or a configuration lead to",
		Long: `Explain reads the OCI specification (config.json of a bundle) of a job container or of a Windows Server container, or
a configuration of hostcompute_nspawn, and prints the calls that it leads to: the job calls with their limits, or the
documents for the Host Compute Service. Without a file it explains the limit flags. It works on any system and starts no
program.`,
		Example: "  silo explain bundle/config.json\n  silo explain nspawn.json\n  silo explain --cpus 1.5 --processors 8",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.explain(f, args) },
	}
	set := c.Flags()
	set.IntVar(&f.processors, "processors", 0, "processors of the machine; default: those of this one")
	set.Uint64Var(&f.mhz, "mhz", 0, "speed of its processors, in MHz")
	set.StringVar(&f.namespace, "namespace", "default", "containerd namespace")
	set.StringVar(&f.id, "id", "example", "container id")
	f.limits.Register(set)
	return c
}

// call is one call that would be made.
type call struct {
	Call string `json:"call"`
	With string `json:"with"`
}

func (a *App) explain(f *explainFlags, args []string) error {
	m := a.Machine
	if f.processors < 0 {
		return errors.New("--processors cannot be negative; 0 is this machine's number")
	}
	if f.processors > 0 {
		m = limit.Machine{Groups: []int{min(f.processors, 64)}, Nodes: m.Nodes, MHz: m.MHz}
		for left := f.processors - 64; left > 0; left -= 64 {
			m.Groups = append(m.Groups, min(left, 64))
		}
	}
	if f.mhz > 0 {
		m.MHz = f.mhz
	}
	if len(args) == 0 {
		return a.explainFlags(f, m)
	}
	text, err := textfile.Read(args[0])
	if err != nil {
		return fmt.Errorf("read the specification: %w", err)
	}
	if bytes.Contains(text, []byte(`"process_directory"`)) {
		return a.explainNspawn(f, m, text)
	}
	return a.explainSpec(f, m, text)
}

func (a *App) explainFlags(f *explainFlags, m limit.Machine) error {
	if !f.limits.Given() {
		return errors.New("explain: nothing to explain; name a file or limit flags")
	}
	l, err := f.limits.Apply(jobobject.Limits{KillOnClose: true}, m)
	if err != nil {
		return err
	}
	return show(a, limitCalls(`Global\silo/silo/`+f.id, l, m), callColumns)
}

// limitCalls are the calls that make a job with limits.
func limitCalls(name string, l jobobject.Limits, m limit.Machine) []call {
	calls := []call{{"CreateJobObject", name}}
	for _, line := range limit.Describe(l, m) {
		calls = append(calls, call{"SetInformationJobObject " + line.Call, line.Limit + " " + line.Value})
	}
	return calls
}

// explainSpec plans the specification as the shim does, for a host whose files are unknown.
func (a *App) explainSpec(f *explainFlags, m limit.Machine, text []byte) error {
	s, err := readSpec(text)
	if err != nil {
		return err
	}
	if !plan.IsHostProcess(s) {
		return a.explainServer(f, m, s, plan.Owner, nil)
	}
	searched := new(unknown)
	host := a.explainHost(m)
	host.Lookup = searched.IsFile
	planned, err := host.HostProcess(f.id, s, nil)
	if err != nil {
		return err
	}
	l := planned.Limits
	l.KillOnClose = true
	calls := limitCalls(node.JobName(f.namespace, f.id), l, m)
	if planned.Silo { // before all limits but kill on close
		calls = slices.Insert(calls, 2, call{"SetInformationJobObject JobObjectCreateSilo", ""})
	}
	env := planned.Environ(nil, &planned.Process)
	searched.files = nil
	_, dir, err := planned.Process.Search.In(searched, env)
	if err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	calls = append(calls, rootCalls(planned)...)
	user := planned.Process.Username
	if user == "" {
		user = "that of the shim"
	}
	calls = append(calls,
		call{"user", user},
		call{"CreateProcess PROC_THREAD_ATTRIBUTE_JOB_LIST", planned.Process.CommandLine},
		call{"  lpApplicationName", searched.String()},
		call{"  lpCurrentDirectory", dir},
		call{"  lpEnvironment", "that of the user, overridden by " + names(planned.Process.Env)})
	for _, w := range planned.Warnings {
		calls = append(calls, call{"warning", w})
	}
	return show(a, calls, callColumns)
}

// readSpec decodes an OCI specification.
func readSpec(text []byte) (*specs.Spec, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	s := new(specs.Spec)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("read the specification: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the specification: data after its end")
	}
	return s, nil
}

// unknown are the files of a machine that is not at hand, but for the bind filter of Windows Server 2022. It notes those
// that are searched and has none, so that the search goes through all.
type unknown struct{ files []string }

func (u *unknown) IsFile(path string) bool {
	if strings.HasSuffix(path, `\bindfltapi.dll`) {
		return true
	}
	if !slices.ContainsFunc(u.files, func(f string) bool { return strings.EqualFold(f, path) }) {
		u.files = append(u.files, path)
	}
	return false
}

func (*unknown) IsDir(string) bool    { return true }
func (*unknown) MakeDir(string) error { return nil }

// String returns the only candidate, or all of them.
func (u *unknown) String() string {
	if len(u.files) == 1 {
		return u.files[0]
	}
	return "the first that exists: " + strings.Join(u.files, "; ")
}

// rootCalls are those that make the root file system and the mounts of a job.
func rootCalls(planned *plan.HostProcess) (calls []call) {
	if planned.Root != nil {
		calls = append(calls, call{"mount layers", planned.Root.Layers.Scratch + planned.Root.Layers.Volume})
	}
	bind := map[bool]string{true: "BfSetupFilter", false: "SetVolumeMountPoint"}[planned.Silo]
	if planned.Root != nil {
		calls = append(calls, call{bind, planned.Root.Path})
	}
	if !planned.Silo {
		bind = "CreateSymbolicLink"
	}
	for _, m := range planned.Mounts {
		if m.Destination != "" {
			calls = append(calls, call{bind, m.Destination + " to " + m.Source})
		}
		if m.Link != "" {
			calls = append(calls, call{"CreateSymbolicLink", m.Link + " to " + m.Source})
		}
	}
	return calls
}

// explainHost is another machine: links are not resolved.
func (a *App) explainHost(m limit.Machine) plan.Machine {
	host := a.Host
	host.Processors = m.Processors()
	host.Resolve = func(path string) (string, error) { return path, nil }
	return host
}

// names are those of variables; values may be secrets.
func names(env []string) string {
	var list []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		list = append(list, name)
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

var callColumns = []column[call]{
	{title: "CALL", value: func(c *call) string { return c.Call }},
	{title: "WITH", value: func(c *call) string { return c.With }},
}
