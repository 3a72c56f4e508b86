package plan

import (
	"fmt"

	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/schema"
)

// Owner is whom the Host Compute Service lists as the client behind our containers.
const Owner = "containerd-shim-silo-v1"

// WCOW is the plan of a Windows Server container.
type WCOW struct {
	// Document is what the Host Compute Service is told, but for what exists only once it is made: the mounted layers
	// and their volume, a network namespace of the container's own and the state of its credentials.
	Document schema.ComputeSystem
	// Process is the init process.
	Process Process
	// Layers make the root file system.
	Layers Layers
	// OwnNamespace asks for a network namespace that lives with the container and has these endpoints.
	OwnNamespace bool
	Endpoints    []string
	// CredentialSpec is the JSON of a group managed service account's, or "". It is a secret.
	CredentialSpec string
	// Affinity names the processors to run on, at most once per group.
	Affinity []Affinity
	// Requested is for the first update.
	Requested Requested
	Compromise

	host Machine
}

// WCOW plans a Windows Server container called id; rootfs are the mounts that came with it. Errors are those of
// [Machine.HostProcess], but a program is sought inside of the container and by nobody here.
func (h Machine) WCOW(id string, s *specs.Spec, rootfs []specs.Mount) (*WCOW, error) {
	switch err := isWindows(s); {
	case err != nil:
		return nil, err
	case IsHostProcess(s):
		return nil, fmt.Errorf("annotation %s is \"true\": this is a job container: %w", annotations.HostProcessContainer, errdefs.ErrInvalidArgument)
	}
	v := &WCOW{host: h.withDefaults(), Compromise: Compromise{bestEffort: s.Annotations[BestEffort] == "true"}}
	v.Document = schema.ComputeSystem{
		Owner: Owner, SchemaVersion: new(schema.Level), Container: &schema.Container{},
		ShouldTerminateOnLastHandleClosed: true,
	}
	var err error
	if v.Layers, err = planLayers(s, rootfs); err != nil {
		return nil, err
	}
	if err := v.Layers.resolve(v.host); err != nil {
		return nil, err
	}
	for _, plan := range []func(*specs.Spec) error{
		v.planGuest, v.planResources, v.planNetwork, v.planCredentials, v.planMounts, v.planDevices, v.planForeign, v.planInit,
	} {
		if err := plan(s); err != nil {
			return nil, err
		}
	}
	return v, v.planRegistry(id, s.Annotations)
}

// maxHostName is what DNS takes as one label.
const maxHostName = 63

func (v *WCOW) planGuest(s *specs.Spec) error {
	switch {
	case s.Hostname == "":
		return nil
	case len(s.Hostname) > maxHostName:
		return fmt.Errorf("hostname is %d characters long: Windows takes %d: %w", len(s.Hostname), maxHostName, errdefs.ErrInvalidArgument)
	}
	if err := checkText("hostname", s.Hostname); err != nil {
		return err
	}
	v.Document.Container.GuestOs = &schema.GuestOs{HostName: s.Hostname}
	return nil
}

// planNetwork joins the namespace that is named, or asks for one of the container's own.
func (v *WCOW) planNetwork(s *specs.Spec) error {
	n := s.Windows.Network
	if n == nil {
		return nil
	}
	if n.NetworkNamespace != "" && len(n.EndpointList) > 0 {
		return fmt.Errorf("windows.network.networkNamespace and windows.network.endpointList exclude each other: "+
			"attach the endpoints to the namespace: %w", errdefs.ErrInvalidArgument)
	}
	for i, suffix := range n.DNSSearchList {
		if suffix == "" || strings.ContainsAny(suffix, ", \x00") {
			return fmt.Errorf("windows.network.DNSSearchList[%d] %q: name one domain: %w", i, suffix, errdefs.ErrInvalidArgument)
		}
	}
	v.OwnNamespace, v.Endpoints = n.NetworkNamespace == "", n.EndpointList
	v.Document.Container.Networking = &schema.Networking{
		AllowUnqualifiedDnsQuery:   n.AllowUnqualifiedDNSQuery,
		DnsSearchList:              strings.Join(n.DNSSearchList, ","),
		NetworkSharedContainerName: n.NetworkSharedContainerName,
		Namespace:                  n.NetworkNamespace,
	}
	return nil
}

// planForeign refuses what Windows, or this shim, does not know.
func (v *WCOW) planForeign(s *specs.Spec) error {
	if s.Windows.Servicing {
		v.warn("windows.servicing", "the container is made as any other")
	}
	p := s.Process
	if p == nil {
		return nil
	}
	for _, wish := range []struct {
		field string
		set   bool
	}{
		{"hooks", s.Hooks != nil},
		{"domainname", s.Domainname != ""},
		{"process.rlimits", len(p.Rlimits) > 0},
		{"process.capabilities", p.Capabilities != nil},
		{"process.noNewPrivileges", p.NoNewPrivileges},
	} {
		if !wish.set {
			continue
		}
		if err := v.lacks(wish.field, "a Windows Server container has no such thing"); err != nil {
			return err
		}
	}
	return nil
}

func (v *WCOW) planInit(s *specs.Spec) error {
	p, err := v.Exec(s.Process)
	if err != nil {
		return err
	}
	v.Process = *p
	return nil
}

// Exec plans one process in the container, its init or another. It runs as whom it names; with no name that is
// the image's own choice. The command line is resolved inside of the container.
func (v *WCOW) Exec(p *specs.Process) (*Process, error) {
	if p == nil {
		return nil, fmt.Errorf("process is missing: say what to run in process.args: %w", errdefs.ErrInvalidArgument)
	}
	plan := &Process{Terminal: p.Terminal, Username: p.User.Username, Dir: backslashes(p.Cwd)}
	var err error
	if plan.CommandLine, plan.Field, err = commandLine(p); err != nil {
		return nil, err
	}
	plan.Program = firstToken(plan.CommandLine)
	if plan.Width, plan.Height, err = consoleSize(p); err != nil {
		return nil, err
	}
	if plan.Env, err = new(HostProcess).env(p.Env); err != nil {
		return nil, err
	}
	return plan, first(checkText("process.cwd", plan.Dir), checkText("process.user.username", plan.Username))
}

// commandLine is the spec's own as it is, or its arguments quoted, and the field that names its program.
func commandLine(p *specs.Process) (line, field string, err error) {
	if p.CommandLine != "" {
		return p.CommandLine, "process.commandLine", checkText("process.commandLine", p.CommandLine)
	}
	if len(p.Args) == 0 {
		return "", "", fmt.Errorf("process.args is empty: name the program and its arguments: %w", errdefs.ErrInvalidArgument)
	}
	if err := checkArgs(p.Args); err != nil {
		return "", "", err
	}
	line = quote(p.Args)
	return line, "process.args[0]", checkText("process.args", line)
}

// Parameters are a process as the Host Compute Service takes it, with the streams that are asked for. The service
// takes names of variables that differ in case for two; Windows does not, and the last holds.
func (p *Process) Parameters(stdin, stdout, stderr bool) *schema.ProcessParameters {
	out := &schema.ProcessParameters{
		CommandLine: p.CommandLine, User: p.Username, WorkingDirectory: p.Dir,
		CreateStdInPipe: stdin, CreateStdOutPipe: stdout, CreateStdErrPipe: stderr,
	}
	for _, entry := range MergeEnv(nil, p.Env) {
		if out.Environment == nil {
			out.Environment = map[string]string{}
		}
		name, value, _ := strings.Cut(entry, "=")
		out.Environment[name] = value
	}
	if p.Terminal {
		out.EmulateConsole, out.CreateStdErrPipe = true, false
		out.ConsoleSize = []uint16{p.Height, p.Width}
	}
	return out
}
