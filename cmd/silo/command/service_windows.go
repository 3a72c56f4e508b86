package command

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/internal/ownership"
)

// serviceEnviron is the environment that the service manager gives to a service without variables; own if it is unknown.
//
// https://learn.microsoft.com/windows/win32/api/userenv/nf-userenv-createenvironmentblock
func serviceEnviron(own []string) []string {
	env, err := windows.Token(0).Environ(false)
	if err != nil {
		return own
	}
	return env
}

// connectServices opens the service manager with the given access.
func connectServices(access uint32) (*mgr.Mgr, error) {
	h, err := windows.OpenSCManager(nil, nil, access)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		err = fmt.Errorf("%w; run silo as administrator", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the service manager: %w", err)
	}
	return &mgr.Mgr{Handle: h}, nil
}

// ownService is an open service of silo.
type ownService struct {
	*mgr.Service
	account string
	command []string // after the two dashes
}

// openService opens a service of silo. Any other service is refused.
func openService(m *mgr.Mgr, name string, access uint32) (*ownService, error) {
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("open service %q: %w", name, err)
	}
	h, err := windows.OpenService(m.Handle, p, access|windows.SERVICE_QUERY_CONFIG)
	switch {
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		err = fmt.Errorf("%w; silo service list shows those of silo", err)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		err = fmt.Errorf("%w; run silo as administrator", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open service %s: %w", name, err)
	}
	s := &ownService{Service: &mgr.Service{Name: name, Handle: h}}
	line, account, err := queryConfig(h)
	s.account, s.command = account, siloCommand(line)
	if err == nil && s.command == nil {
		err = errors.New("it is not a service of silo; use sc.exe for it")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("service %s: %w", name, err), s.Close())
	}
	return s, nil
}

// queryConfig returns the command line and the account of a service. [mgr.Service.Config] also queries what Wine lacks.
//
// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-queryserviceconfigw
func queryConfig(h windows.Handle) (line, account string, err error) {
	var buffer [1 << 10]uint64 // 8 KiB, the most that the service manager returns
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buffer[0]))
	var needed uint32
	if err := windows.QueryServiceConfig(h, config, uint32(unsafe.Sizeof(buffer)), &needed); err != nil {
		return "", "", fmt.Errorf("query its configuration: %w", err)
	}
	return windows.UTF16PtrToString(config.BinaryPathName), windows.UTF16PtrToString(config.ServiceStartName), nil
}

// siloCommand returns the command line of a service of silo after the two dashes, nil for any other service.
func siloCommand(line string) []string {
	args, err := windows.DecomposeCommandLine(line)
	if err != nil || len(args) < 3 || args[1] != "service" || args[2] != "run" {
		return nil
	}
	return args[slices.Index(args, "--")+1:]
}

// eventSource is the name under which a service reports to the event log.
func eventSource(name string) string { return "silo " + name }

// installService makes a service that runs this executable, whose path is quoted where it has blanks.
//
// https://learn.microsoft.com/windows/win32/services/services
func (a *App) installService(p *servicePlan) (err error) {
	m, err := connectServices(windows.SC_MANAGER_ALL_ACCESS)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	verb := p.args[slices.Index(p.args, "--")+1]
	s, err := m.CreateService(p.name, a.Self, mgr.Config{
		DisplayName: "silo " + verb + " (" + p.name + ")", StartType: mgr.StartAutomatic,
		Description:      "Runs silo " + verb + ". Remove it with: silo service uninstall " + p.name,
		ServiceStartName: p.account, Password: p.password,
	}, p.args...)
	if errors.Is(err, windows.ERROR_SERVICE_EXISTS) || errors.Is(err, windows.ERROR_DUPLICATE_SERVICE_NAME) {
		err = fmt.Errorf("%w; choose another name, or remove that one with silo service uninstall %s", err, p.name)
	}
	if err != nil {
		return fmt.Errorf("create service %s: %w", p.name, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := a.setUpService(s, p); err != nil {
		return errors.Join(err, s.Delete(), removeEventSource(p.name))
	}
	fmt.Fprintln(a.Stdout, p.name)
	return nil
}

func (a *App) setUpService(s *mgr.Service, p *servicePlan) error {
	if err := restartOnFailure(s); err != nil {
		return fmt.Errorf("set the restart of service %s: %w", p.name, err)
	}
	if err := setServiceEnvironment(p.name, p.env); err != nil {
		return fmt.Errorf("set the environment of service %s: %w", p.name, err)
	}
	if p.logDir != "" {
		if err := makeServiceDir(p.logDir, p.account); err != nil {
			return fmt.Errorf("make the directory of the log: %w; or name a file with --log", err)
		}
	}
	if err := removeEventSource(p.name); err != nil { // of an installation that was not undone
		return err
	}
	if err := eventlog.InstallAsEventCreate(eventSource(p.name), eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		return fmt.Errorf("register event source %s: %w", eventSource(p.name), err)
	}
	return nil
}

func removeEventSource(name string) error {
	if err := eventlog.Remove(eventSource(name)); err != nil && !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return fmt.Errorf("remove event source %s: %w", eventSource(name), err)
	}
	return nil
}

// makeServiceDir makes the directory for the log of a service. Its account and the administrators alone have access.
func makeServiceDir(dir, account string) error {
	access := node.PrivateDir
	if account != "LocalSystem" {
		sid, _, _, err := windows.LookupSID("", strings.TrimPrefix(account, `.\`))
		if err != nil {
			return fmt.Errorf("look up the account %s: %w", account, err)
		}
		access += "(A;OICI;FA;;;" + sid.String() + ")"
	}
	if err := ownership.MakeAll(filepath.Dir(dir), node.SharedDir); err != nil {
		return err
	}
	if err := ownership.MakeDir(dir, access); err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(access) // the directory may be that of an earlier service with another account
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
}

// serviceKey lets administrators alone read the registry key of a service. By default every user may read it.
const serviceKey = "D:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)"

// setServiceEnvironment stores the variables that the service manager adds to those of the system. Other users cannot read
// them.
//
// https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-services-registry-tree
func setServiceEnvironment(name string, env []string) (err error) {
	if len(env) == 0 {
		return nil
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\`+name, registry.SET_VALUE|windows.WRITE_DAC)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	sd, err := windows.SecurityDescriptorFromString(serviceKey)
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	if err := windows.SetSecurityInfo(windows.Handle(key), windows.SE_REGISTRY_KEY,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("set its access rights: %w", err)
	}
	return key.SetStringsValue("Environment", env)
}

// restartOnFailure makes the service manager start a service again 5 s after it failed: when it crashed, and also when it
// reported that it stopped with an error, which is how a program in Go ends.
//
// https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_failure_actions_flag
func restartOnFailure(s *mgr.Service) error {
	restart := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 5 * time.Second}
	if err := s.SetRecoveryActions([]mgr.RecoveryAction{restart, restart, restart}, 24*60*60); err != nil {
		return err
	}
	return s.SetRecoveryActionsOnNonCrashFailures(true)
}

func (a *App) uninstallService(name string) (err error) {
	m, err := connectServices(windows.SC_MANAGER_CONNECT)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := openService(m, name, windows.DELETE)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Delete(); err != nil {
		return fmt.Errorf("delete service %s: %w", name, err)
	}
	if err := removeEventSource(name); err != nil {
		return err
	}
	fmt.Fprintln(a.Stdout, name)
	return nil
}

// serviceRow is a service of silo.
type serviceRow struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Pid     uint32 `json:"pid,omitempty"`
	Code    uint32 `json:"exit_code"` // the service's own, of its latest end
	Account string `json:"account"`
	Command string `json:"command"`
}

// listServices shows the services with these names, or all of silo.
func (a *App) listServices(names []string) (err error) {
	m, err := connectServices(windows.SC_MANAGER_CONNECT | windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	all := names == nil
	if all {
		if names, err = m.ListServices(); err != nil {
			return fmt.Errorf("list services: %w", err)
		}
	}
	rows := []serviceRow{}
	var errs []error
	for _, name := range names {
		row, err := queryService(m, name)
		switch {
		case err == nil:
			rows = append(rows, row)
		case !all: // otherwise it is another's service
			errs = append(errs, err)
		}
	}
	if all || len(rows) > 0 {
		errs = append(errs, show(a, rows, serviceColumns))
	}
	return errors.Join(errs...)
}

func queryService(m *mgr.Mgr, name string) (row serviceRow, err error) {
	s, err := openService(m, name, windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	status, err := s.Query()
	if err != nil {
		return row, fmt.Errorf("query service %s: %w", name, err)
	}
	state, code := stateWords[status.State], status.ServiceSpecificExitCode
	switch {
	case status.Win32ExitCode == uint32(windows.ERROR_SERVICE_NEVER_STARTED):
		state = "never started"
	case code == 0:
		code = status.Win32ExitCode
	}
	return serviceRow{
		Name: name, State: state, Pid: status.ProcessId, Code: code, Account: s.account,
		Command: strings.Join(s.command, " "),
	}, nil
}

var stateWords = map[svc.State]string{
	svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping", svc.Running: "running",
	svc.ContinuePending: "resuming", svc.PausePending: "pausing", svc.Paused: "paused",
}

var serviceColumns = []column[serviceRow]{
	{title: "NAME", value: func(s *serviceRow) string { return s.Name }},
	{title: "STATE", value: func(s *serviceRow) string { return s.State }},
	{title: "PID", value: func(s *serviceRow) string { return fmt.Sprint(s.Pid) }},
	{title: "EXIT CODE", value: func(s *serviceRow) string { return fmt.Sprint(s.Code) }},
	{title: "ACCOUNT", value: func(s *serviceRow) string { return s.Account }},
	{title: "COMMAND", wide: true, value: func(s *serviceRow) string { return s.Command }},
}
