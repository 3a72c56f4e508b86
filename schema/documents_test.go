package schema

import (
	"encoding/json"
	"time"
)

func minimalContainer() ComputeSystem {
	return ComputeSystem{
		Owner:                             "containerd-shim-silo-v1.exe",
		SchemaVersion:                     &Level,
		ShouldTerminateOnLastHandleClosed: true,
		Container:                         &Container{},
	}
}

func fullContainer() ComputeSystem {
	s := minimalContainer()
	s.HostingSystemId = "vm"
	s.Container = &Container{
		GuestOs: &GuestOs{HostName: "web-0"},
		Storage: &Storage{
			Layers: []Layer{{Id: "5a4e7f0c-4d19-5c1e-8b4f-6b2f3f7a1c2d", Path: `C:\layers\1`, PathType: AbsolutePath, Cache: "Enabled"}},
			Path:   `\\?\Volume{0e2d6f3a-5a0b-4c58-9d4b-2f1f9d6f5b11}\`,
			QoS:    &StorageQoS{IopsMaximum: 5000, BandwidthMaximum: 8 << 30},
		},
		MappedDirectories: []MappedDirectory{{
			HostPath: `C:\data`, HostPathType: AbsolutePath, ContainerPath: `C:\in`, ReadOnly: true, SupportCloudFiles: true,
		}},
		MappedPipes: []MappedPipe{{ContainerPipeName: "db", HostPath: `\\.\pipe\db`, HostPathType: AbsolutePath}},
		Memory:      &Memory{SizeInMB: 4096},
		Processor:   &Processor{Count: 2, Maximum: 5000, Weight: 100},
		Networking: &Networking{
			AllowUnqualifiedDnsQuery: true, DnsSearchList: "a.local,b.local", NetworkSharedContainerName: "pause",
			Namespace: "6d7f9c53-0e0a-4b3c-9ad1-d4b1d5fd9b12", NetworkAdapters: []string{"e1"},
		},
		HvSocket: json.RawMessage(`true`),
		ContainerCredentialGuard: &ContainerCredentialGuardState{
			Cookie: "c", RpcEndpoint: "e", Transport: TransportLRPC, CredentialSpec: "{}",
		},
		RegistryChanges: &RegistryChanges{
			AddValues: []RegistryValue{
				{
					Key:  &RegistryKey{Hive: HiveSystem, Name: `ControlSet001\Control`, Volatile: true},
					Name: "WaitToKillServiceTimeout", Type: RegistryString, StringValue: "2147483647",
				},
				{Name: "DumpType", Type: RegistryDWord, DWordValue: new(uint32(0))},
				{Name: "Big", Type: RegistryQWord, QWordValue: new(uint64(1 << 40))},
				{Name: "Own", Type: RegistryCustomType, CustomType: new(uint32(7)), BinaryValue: []byte{1, 2}},
			},
			DeleteKeys: []RegistryKey{{Hive: HiveSoftware, Name: "Old"}},
		},
		AssignedDevices: []Device{
			{InterfaceClassGuid: "5b45201d-f2f2-4f3b-85bb-30ff1f953599"},
			{Type: DeviceInstance, LocationPath: "PCIROOT(0)"},
		},
		AdditionalDeviceNamespace: &DeviceNamespaceDefinition{DeviceExtension: []json.RawMessage{json.RawMessage(`true`)}},
	}
	return s
}

func fullProcess() ProcessParameters {
	return ProcessParameters{
		ApplicationName: `C:\app.exe`, CommandLine: `app.exe "a b"`, User: "ContainerUser", WorkingDirectory: `C:\`,
		Environment:     map[string]string{"B": "", "A": "1"},
		RestrictedToken: true, EmulateConsole: true,
		CreateStdInPipe: true, CreateStdOutPipe: true, CreateStdErrPipe: true,
		ConsoleSize: []uint16{25, 80}, UseExistingLogin: true, UseLegacyConsole: true,
	}
}

func fullProperties() Properties {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	return Properties{
		Id: "c1", SystemType: TypeContainer, RuntimeOsType: "Windows", Name: "c1", Owner: "silo",
		RuntimeId: "r", RuntimeTemplateId: "t", State: StateRunning, Stopped: true, ExitType: ExitGraceful,
		Memory: json.RawMessage(`0`), TerminateOnLastHandleClosed: true, HostingSystemId: "vm",
		Statistics: &Statistics{
			Timestamp: at, ContainerStartTime: at.Add(-time.Hour), Uptime100ns: 36_000_000_000,
			Processor: &ProcessorStats{TotalRuntime100ns: 3, RuntimeUser100ns: 2, RuntimeKernel100ns: 1},
			Memory: &MemoryStats{
				MemoryUsageCommitBytes: 5 << 30, MemoryUsageCommitPeakBytes: 6 << 30, MemoryUsagePrivateWorkingSetBytes: 4 << 30,
			},
			Storage: &StorageStats{ReadCountNormalized: 1, ReadSizeBytes: 2, WriteCountNormalized: 3, WriteSizeBytes: 4},
		},
		ProcessList: []ProcessDetails{{
			ProcessId: 15996, ImageName: "smss.exe", CreateTimestamp: at, UserTime100ns: 1, KernelTime100ns: 2,
			MemoryCommitBytes: 3 << 32, MemoryWorkingSetPrivateBytes: 4 << 32, MemoryWorkingSetSharedBytes: 5 << 32,
		}},
	}
}
