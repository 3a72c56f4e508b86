package hcstest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// TestService_InvalidDocument_IsRefused: what the service would not take, the simulation does not.
func TestService_InvalidDocument_IsRefused(t *testing.T) {
	b := simulated(t)
	for name, edit := range map[string]func(d *schema.ComputeSystem){
		"schema version": func(d *schema.ComputeSystem) { d.SchemaVersion = nil },
		"unknown field $.Container.Memory.Size": func(d *schema.ComputeSystem) {
			d.Container.Memory = &schema.Memory{Unknown: schema.Unknown{"Size": json.RawMessage("1")}}
		},
		"only containers": func(d *schema.ComputeSystem) { d.VirtualMachine = json.RawMessage("{}") },
		"layers":          func(d *schema.ComputeSystem) { d.Container.Storage.Layers = nil },
		"volume":          func(d *schema.ComputeSystem) { d.Container.Storage.Path = `C:\` },
		"GUID":            func(d *schema.ComputeSystem) { d.Container.Storage.Layers[0].Id = "x" },
		"exclude":         func(d *schema.ComputeSystem) { d.Container.Processor = &schema.Processor{Weight: 1, Count: 1} },
		"out of range":    func(d *schema.ComputeSystem) { d.Container.Processor = &schema.Processor{Maximum: 10001} },
		"absolute": func(d *schema.ComputeSystem) {
			d.Container.MappedDirectories = []schema.MappedDirectory{{HostPath: `C:\a`, ContainerPath: "b"}}
		},
		`D:\ cannot be`: func(d *schema.ComputeSystem) {
			d.Container.MappedDirectories = []schema.MappedDirectory{{HostPath: `C:\a`, ContainerPath: `D:\`}}
		},
		"C: cannot be": func(d *schema.ComputeSystem) {
			d.Container.MappedDirectories = []schema.MappedDirectory{{HostPath: `C:\a`, ContainerPath: "C:"}}
		},
		"no GUID": func(d *schema.ComputeSystem) {
			d.Container.AssignedDevices = []schema.Device{{InterfaceClassGuid: "class/5B45201D-F2F2-4F3B-85BB-30FF1F953599"}}
		},
		"bare name": func(d *schema.ComputeSystem) {
			d.Container.MappedPipes = []schema.MappedPipe{{HostPath: `\\.\pipe\a`, ContainerPipeName: `\\.\pipe\a`}}
		},
		"location path": func(d *schema.ComputeSystem) {
			d.Container.AssignedDevices = []schema.Device{{Type: schema.DeviceInstance}}
		},
		"host name": func(d *schema.ComputeSystem) {
			d.Container.GuestOs = &schema.GuestOs{HostName: strings.Repeat("x", 64)}
		},
		"one value": func(d *schema.ComputeSystem) {
			d.Container.RegistryChanges = &schema.RegistryChanges{AddValues: []schema.RegistryValue{{Key: &schema.RegistryKey{}}}}
		},
	} {
		d := hcstest.Container()
		edit(&d)
		_, err := b.client.Create(t.Context(), "c1", &d)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one about %s", err, name)
		}
	}
}

// TestService_Modify_ShowsInTheDocument: changes of a running container show in its document.
func TestService_Modify_ShowsInTheDocument(t *testing.T) {
	b := simulated(t)
	s := running(t, b)
	mount := schema.MappedDirectory{HostPath: `C:\a`, ContainerPath: `C:\b`}
	for _, change := range []struct {
		op       schema.RequestType
		path     string
		settings any
		refused  bool
	}{
		{schema.RequestUpdate, schema.PathMemory, 512, false},
		{schema.RequestUpdate, schema.PathMemory, "512", true},
		{schema.RequestUpdate, schema.PathProcessor, schema.Processor{Weight: 7}, false},
		{schema.RequestUpdate, schema.PathProcessor, schema.Processor{Weight: 7, Count: 1}, true},
		{schema.RequestAdd, schema.PathMappedDirectories, mount, false},
		{schema.RequestAdd, schema.PathMappedDirectories, mount, true},
		{schema.RequestAdd, schema.PathMappedPipes, schema.MappedPipe{ContainerPipeName: "p", HostPath: `\\.\pipe\p`}, false},
		{schema.RequestRemove, schema.PathMappedPipes, schema.MappedPipe{ContainerPipeName: "p"}, false},
		{schema.RequestRemove, schema.PathMappedPipes, schema.MappedPipe{ContainerPipeName: "p"}, true},
		{schema.RequestUpdate, schema.PathRegistryFlushState, schema.RegistryFlushState{Enabled: true}, false},
	} {
		r, err := schema.NewModifySetting(change.op, change.path, change.settings)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Modify(t.Context(), r); (err != nil) != change.refused {
			t.Errorf("%s %s: %v", change.op, change.path, err)
		}
	}
	d, ok := b.service.Document(s.ID())
	if !ok || d.Container.Memory.SizeInMB != 512 || d.Container.Processor.Weight != 7 || len(d.Container.MappedPipes) != 0 {
		t.Errorf("document %+v", d.Container)
	}
	if diff := cmp.Diff([]schema.MappedDirectory{mount}, d.Container.MappedDirectories); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
}

// TestService_CredentialGuard_AddsAndRemovesInstances adds an instance, finds its state, and removes it.
func TestService_CredentialGuard_AddsAndRemovesInstances(t *testing.T) {
	b := simulated(t)
	change := func(op schema.CredentialGuardOperation, d schema.ContainerCredentialGuardInstanceRequest) error {
		r, err := schema.NewCredentialGuardRequest(op, d)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.client.ModifyService(t.Context(), r)
		return err
	}
	instances := func() []schema.ContainerCredentialGuardInstance {
		p, err := b.client.ServiceProperties(t.Context(), schema.ServiceCredentialGuard)
		if err != nil {
			t.Fatal(err)
		}
		var info schema.ContainerCredentialGuardSystemInfo
		if err := schema.Unmarshal(p.Properties[0], &info); err != nil {
			t.Fatal(err)
		}
		return info.Instances
	}
	add := schema.ContainerCredentialGuardInstanceRequest{Id: "c1", CredentialSpec: `{"secret":1}`, Transport: schema.TransportLRPC}
	if err := change(schema.AddInstance, add); err != nil {
		t.Fatal(err)
	}
	if err := change(schema.AddInstance, add); !errors.Is(err, hcs.ErrAlreadyExists) {
		t.Errorf("second instance: %v", err)
	}
	if list := instances(); len(list) != 1 || list[0].Id != "c1" || list[0].CredentialGuard.Cookie == "" {
		t.Errorf("instances %+v", list)
	}
	remove := schema.ContainerCredentialGuardInstanceRequest{Id: "c1"}
	if err := change(schema.RemoveInstance, remove); err != nil {
		t.Fatal(err)
	}
	if err := change(schema.RemoveInstance, remove); !errors.Is(err, hcs.ErrNotFound) {
		t.Errorf("second removal: %v", err)
	}
	if list := instances(); len(list) != 0 {
		t.Errorf("instances %+v", list)
	}
	add.Id = ""
	if err := change(schema.AddInstance, add); !errors.Is(err, hcs.ErrInvalidArgument) || strings.Contains(err.Error(), "secret") {
		t.Errorf("no id: %v", err)
	}
}

// TestService_Statistics_AreSums: statistics are sums, of times also over processes that are gone.
func TestService_Statistics_AreSums(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := simulated(t)
		used := hcstest.Usage{User: 3 * time.Second, Kernel: time.Second, Commit: 100, Private: 60, Reads: 1, WriteBytes: 5}
		b.service.Program("busy.exe", func(p *hcstest.Proc) uint32 {
			p.Use(used)
			if len(p.Args) == 1 {
				<-p.Done()
			}
			return 0
		})
		s := running(t, b)
		time.Sleep(time.Minute) // of the bubble: the age of the container
		for _, line := range []string{"busy.exe", "busy.exe once"} {
			p, err := s.CreateProcess(t.Context(), &schema.ProcessParameters{CommandLine: line})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
		}
		synctest.Wait()
		p, err := s.Properties(t.Context(), schema.PropertyStatistics)
		if err != nil {
			t.Fatal(err)
		}
		want := &schema.Statistics{
			Uptime100ns: uint64(time.Minute / 100),
			Processor:   &schema.ProcessorStats{TotalRuntime100ns: 8e7, RuntimeUser100ns: 6e7, RuntimeKernel100ns: 2e7},
			Memory:      &schema.MemoryStats{MemoryUsageCommitBytes: 100, MemoryUsageCommitPeakBytes: 100, MemoryUsagePrivateWorkingSetBytes: 60},
			Storage:     &schema.StorageStats{ReadCountNormalized: 2, WriteSizeBytes: 10},
		}
		p.Statistics.Timestamp, p.Statistics.ContainerStartTime = time.Time{}, time.Time{}
		if diff := cmp.Diff(want, p.Statistics); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestService_ClosedHandle_IsMisuse: what would crash a client is noticed.
func TestService_ClosedHandle_IsMisuse(t *testing.T) {
	s := hcstest.New()
	s.CloseSystem(16)
	s.CloseOperation(16)
	if err := s.SetProcessCallback(16, func(hcs.Notification) {}); !errors.Is(err, hcs.CodeWin32InvalidHandle) {
		t.Errorf("error %v", err)
	}
	if got := s.Misuse(); len(got) != 3 {
		t.Errorf("misuse %q", got)
	}
}

// bench is a simulated service with a client.
type bench struct {
	service *hcstest.Service
	client  *hcs.Client
}

func simulated(t *testing.T) bench {
	s := hcstest.New()
	b := bench{s, &hcs.Client{Service: s}}
	t.Cleanup(func() {
		s.Wait()
		hcstest.Settled(t, s, b.client)
	})
	return b
}

func running(t *testing.T, b bench) *hcs.System {
	t.Helper()
	d := hcstest.Container()
	s, err := b.client.Create(t.Context(), "c1", &d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
