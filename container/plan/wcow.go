package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// Owner is the owner of our compute systems in the Host Compute Service.
const Owner = "containerd-shim-silo-v1"

// WCOW is the plan of a Windows Server container.
type WCOW struct {
	// Document is the document of the compute system. It lacks what is made with the container: the mounted layers and
	// their volume, the network namespace of OwnNamespace, and the state of the credentials.
	Document schema.ComputeSystem
	// Process is the init process.
	Process Process
	// Layers make the root file system.
	Layers Layers
	// OwnNamespace asks for a network namespace that is made for the container, with these endpoints.
	OwnNamespace bool
	Endpoints    []string
	// CredentialSpec is the credential specification of a group managed service account, in JSON, or "". It is a secret.
	CredentialSpec string
	// Affinity has the processors of the container, at most one mask of a group. Nil is all processors.
	Affinity []jobobject.GroupAffinity
	// Requested is for the first update.
	Requested Requested
	// Pod is the pod of the container; without one it has no name.
	Pod podinfo.Pod
	Unsupported

	host Machine
}

// WCOW plans the Windows Server container id. rootfs are the mounts of the request. Errors are those of
// [Machine.HostProcess]. The program is searched inside the container, when it starts.
func (h Machine) WCOW(id string, s *specs.Spec, rootfs []specs.Mount) (*WCOW, error) {
	switch err := checkWindows(s); {
	case err != nil:
		return nil, err
	case IsHostProcess(s):
		return nil, fmt.Errorf("annotation %s is \"true\": the container is a job container: %w", annotations.HostProcessContainer, errdefs.ErrInvalidArgument)
	}
	v := &WCOW{host: h.withDefaults(), Unsupported: Unsupported{bestEffort: s.Annotations[BestEffort] == "true"}}
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
		v.planGuest, v.planResources, v.planNetwork, v.planCredentials, v.planMounts, v.planDevices, v.planOther, v.planInit,
	} {
		if err := plan(s); err != nil {
			return nil, err
		}
	}
	return v, v.planRegistry(id, s.Annotations)
}

// maxHostName is the maximum length of a DNS label.
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

// planNetwork joins the namespace of the specification, or plans one for the container.
func (v *WCOW) planNetwork(s *specs.Spec) error {
	n := s.Windows.Network
	if n == nil {
		return nil
	}
	if n.NetworkNamespace != "" && len(n.EndpointList) > 0 {
		return fmt.Errorf("windows.network.networkNamespace and windows.network.endpointList exclude each other; "+
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

// planOther refuses fields that have no meaning for a Windows Server container.
func (v *WCOW) planOther(s *specs.Spec) error {
	if s.Windows.Servicing {
		v.warn("windows.servicing", "it has no effect")
	}
	p := s.Process
	if p == nil {
		return nil
	}
	for _, other := range []struct {
		field string
		set   bool
	}{
		{"hooks", s.Hooks != nil},
		{"domainname", s.Domainname != ""},
		{"process.rlimits", len(p.Rlimits) > 0},
		{"process.capabilities", p.Capabilities != nil},
		{"process.noNewPrivileges", p.NoNewPrivileges},
	} {
		if !other.set {
			continue
		}
		if err := v.unsupported(other.field, "a Windows Server container does not support it"); err != nil {
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

// Exec plans one process in the container, its init process or an exec. It runs as the user that it names, or else as the
// user of the image.
func (v *WCOW) Exec(p *specs.Process) (*Process, error) {
	if p == nil {
		return nil, errNoProcess
	}
	plan := &Process{Terminal: p.Terminal, Username: p.User.Username, Dir: backslashes(p.Cwd)}
	var err error
	asItIs := func(text string) string { return text }
	if plan.CommandLine, plan.Program, plan.Field, err = commandLine(p, asItIs); err != nil {
		return nil, err
	}
	if plan.Width, plan.Height, err = consoleSize(p); err != nil {
		return nil, err
	}
	if err := checkEnv(p.Env); err != nil {
		return nil, err
	}
	plan.Env = MergeEnv(nil, p.Env)
	return plan, cmp.Or(checkText("process.cwd", plan.Dir), checkText("process.user.username", plan.Username))
}

// Parameters is the document of a process for the Host Compute Service, with the streams that are wanted. The service
// treats names of variables that differ in case as two; p.Env has each once.
func (p *Process) Parameters(stdin, stdout, stderr bool) *schema.ProcessParameters {
	out := &schema.ProcessParameters{
		CommandLine: p.CommandLine, User: p.Username, WorkingDirectory: p.Dir,
		CreateStdInPipe: stdin, CreateStdOutPipe: stdout, CreateStdErrPipe: stderr,
	}
	if len(p.Env) > 0 {
		out.Environment = make(map[string]string, len(p.Env))
	}
	for _, entry := range p.Env {
		name, value, _ := strings.Cut(entry, "=")
		out.Environment[name] = value
	}
	if p.Terminal {
		out.EmulateConsole, out.CreateStdErrPipe = true, false
		out.ConsoleSize = []uint16{p.Height, p.Width}
	}
	return out
}
