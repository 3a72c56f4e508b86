package install

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// service opens a service with the rights that use needs, and calls use.
//
// https://learn.microsoft.com/windows/win32/services/service-security-and-access-rights
func service(name string, access uint32, use func(*mgr.Service) error) (err error) {
	scm, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return fmt.Errorf("open the service manager: %w", err)
	}
	defer func() { err = errors.Join(err, windows.CloseServiceHandle(scm)) }()
	n, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	h, err := windows.OpenService(scm, n, access)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return errNoService(name)
	}
	if err != nil {
		return fmt.Errorf("open service %s: %w", name, err)
	}
	s := &mgr.Service{Name: name, Handle: h}
	defer func() { err = errors.Join(err, s.Close()) }()
	return use(s)
}

func (system) Service(name string) (found Service, err error) {
	err = service(name, windows.SERVICE_QUERY_CONFIG, func(s *mgr.Service) error {
		line, err := commandLine(s.Handle)
		if err != nil {
			return fmt.Errorf("read service %s: %w", name, err)
		}
		exe, rest := cutProgram(line, isFile)
		words, err := windows.DecomposeCommandLine("program " + rest)
		if err == nil && exe == "" {
			err = errors.New("the command line is empty")
		}
		if err != nil {
			return fmt.Errorf("read the command line of service %s: %w", name, err)
		}
		found = Service{Exe: exe, Args: words[1:]}
		return nil
	})
	return found, err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// commandLine queries the command line of a service. [mgr.Service.Config] queries more, which Wine does not implement.
//
// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-queryserviceconfigw
func commandLine(h windows.Handle) (string, error) {
	const most = 8 << 10             // bytes, as documented
	buffer := make([]uint64, most/8) // aligned for the pointers within
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buffer[0]))
	var needed uint32
	if err := windows.QueryServiceConfig(h, config, most, &needed); err != nil {
		return "", err
	}
	return windows.UTF16PtrToString(config.BinaryPathName), nil
}

func (system) Started(name string) (since time.Time, err error) {
	err = service(name, windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		status, err := s.Query()
		if err != nil {
			return fmt.Errorf("query service %s: %w", name, err)
		}
		if status.ProcessId == 0 {
			return nil
		}
		since, err = startOf(status.ProcessId)
		return err
	})
	return since, err
}

// startOf returns when a process started.
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes
func startOf(pid uint32) (since time.Time, err error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return time.Time{}, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, windows.CloseHandle(h)) }()
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return time.Time{}, fmt.Errorf("query the times of process %d: %w", pid, err)
	}
	return time.Unix(0, created.Nanoseconds()), nil
}

// states are those of the service manager. A service in a pending pause goes on running.
var states = map[svc.State]State{svc.Stopped: Stopped, svc.StartPending: Starting, svc.StopPending: Stopping,
	svc.Running: Running, svc.ContinuePending: Running, svc.PausePending: Running, svc.Paused: Running}

func (system) Status(name string) (found Status, err error) {
	err = service(name, windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		status, err := s.Query()
		if err != nil {
			return fmt.Errorf("query service %s: %w", name, err)
		}
		found = Status{State: states[status.State], ExitCode: status.Win32ExitCode}
		if found.ExitCode == uint32(windows.ERROR_SERVICE_SPECIFIC_ERROR) {
			found.ExitCode = status.ServiceSpecificExitCode
		}
		return nil
	})
	return found, err
}

// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-enumdependentservicesw
func (system) Dependents(name string) (list []string, err error) {
	err = service(name, windows.SERVICE_ENUMERATE_DEPENDENTS, func(s *mgr.Service) error {
		if list, err = s.ListDependentServices(svc.Active); err != nil {
			return fmt.Errorf("list the dependents of service %s: %w", name, err)
		}
		return nil
	})
	return list, err
}

// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-controlservice
func (system) Stop(name string) error {
	return service(name, windows.SERVICE_STOP, func(s *mgr.Service) error {
		_, err := s.Control(svc.Stop)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, windows.ERROR_SERVICE_REQUEST_TIMEOUT):
			return nil // the service has the request and is slow to confirm it
		case errors.Is(err, windows.ERROR_DEPENDENT_SERVICES_RUNNING):
			err = fmt.Errorf("%w: %w", ErrDependents, err)
		case errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL):
			err = fmt.Errorf("%w: %w", ErrPending, err)
		case errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE):
			err = fmt.Errorf("%w: %w", ErrStopped, err)
		}
		return fmt.Errorf("stop service %s: %w", name, err)
	})
}

// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-startservicew
func (system) Start(name string) error {
	return service(name, windows.SERVICE_START, func(s *mgr.Service) error {
		err := s.Start()
		if err == nil {
			return nil
		}
		if errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
			err = fmt.Errorf("%w: %w", ErrStarted, err)
		}
		return fmt.Errorf("start service %s: %w", name, err)
	})
}

// https://learn.microsoft.com/windows/win32/toolhelp/taking-a-snapshot-and-viewing-processes
func (system) Processes(image string) (pids []uint32, err error) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer func() { err = errors.Join(err, windows.CloseHandle(snapshot)) }()
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if strings.EqualFold(windows.UTF16ToString(entry.ExeFile[:]), image) {
			pids = append(pids, entry.ProcessID)
		}
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	return pids, nil
}
