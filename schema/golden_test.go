package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestMarshal_EveryDocument_EqualsItsGolden has every document once with every field in use, against the file
// of its name, both ways.
func TestMarshal_EveryDocument_EqualsItsGolden(t *testing.T) {
	golden(t, "container", fullContainer())
	golden(t, "container-minimal", minimalContainer())
	golden(t, "process", fullProcess())
	golden(t, "process-status", ProcessStatus{ProcessId: 4242, Exited: true, ExitCode: 0xC000013A, LastWaitResult: -1})
	golden(t, "process-resize", ProcessModifyRequest{Operation: OperationConsoleSize, ConsoleSize: &ConsoleSize{Height: 25, Width: 80}})
	golden(t, "process-close-stdin", ProcessModifyRequest{Operation: OperationCloseHandle, CloseHandle: &CloseHandle{Handle: StdIn}})
	golden(t, "process-signal", SignalProcessOptions{Signal: CtrlShutdown})
	golden(t, "query", PropertyQuery{PropertyTypes: []PropertyType{PropertyStatistics, PropertyProcessList}})
	golden(t, "query-systems", SystemQuery{
		Ids: []string{"a"}, Names: []string{"b"}, Types: []SystemType{TypeContainer}, Owners: []string{"silo"},
	})
	golden(t, "properties", fullProperties())
	golden(t, "modify-memory", request(t, RequestUpdate, PathMemory, 1024))
	golden(t, "modify-processor", request(t, RequestUpdate, PathProcessor, Processor{Maximum: 2500}))
	golden(t, "modify-mount", request(t, RequestAdd, PathMappedDirectories, MappedDirectory{HostPath: `C:\a`, ContainerPath: `C:\b`, ReadOnly: true}))
	golden(t, "modify-flush", request(t, RequestUpdate, PathRegistryFlushState, RegistryFlushState{}))
	golden(t, "credential-add", credentialRequest(t, AddInstance, ContainerCredentialGuardInstanceRequest{
		Id: "c1", CredentialSpec: `{"CmsPlugins":["ActiveDirectory"]}`, Transport: TransportLRPC,
	}))
	golden(t, "credential-remove", credentialRequest(t, RemoveInstance, ContainerCredentialGuardInstanceRequest{Id: "c1"}))
	golden(t, "credential-instances", ContainerCredentialGuardSystemInfo{Instances: []ContainerCredentialGuardInstance{
		{Id: "c1", CredentialGuard: fullContainer().Container.ContainerCredentialGuard},
	}})
	golden(t, "service-properties", ServiceProperties{Properties: []json.RawMessage{
		json.RawMessage(`{"SupportedSchemaVersions":[{"Major":2,"Minor":7}]}`),
	}})
	golden(t, "service-basic", BasicInformation{SupportedSchemaVersions: []Version{{1, 0}, {2, 7}}})
	golden(t, "exit-status", SystemExitStatus{Status: -2143878906, ExitType: ExitUnexpected})
	golden(t, "result-error", ResultError{Error: -2147024894, ErrorMessage: "The system cannot find the file specified.", ErrorEvents: []ErrorEvent{{
		Message: "m", StackTrace: "s", Provider: "p", EventId: 65535, Flags: 1, Source: "o",
	}}})
}

// golden compares the encoding of d with testdata, and d with its decoding.
func golden[T any](t *testing.T, name string, d T) {
	t.Helper()
	raw, err := Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := json.Marshal(d); string(plain) != string(raw) || err != nil {
		t.Errorf("%s: encoding/json has %s, %v", name, plain, err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	var back T
	// Raw messages keep the indentation that they were read with.
	if err := Unmarshal(compact(t, want), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back); diff != "" {
		t.Errorf("%s read back (-want +got):\n%s", name, diff)
	}
}

func request(t *testing.T, op RequestType, path string, settings any) ModifySettingRequest {
	t.Helper()
	r, err := NewModifySetting(op, path, settings)
	if err != nil {
		t.Fatal(err)
	}
	return *r
}

func credentialRequest(t *testing.T, op CredentialGuardOperation, details ContainerCredentialGuardInstanceRequest) ModificationRequest {
	t.Helper()
	r, err := NewCredentialGuardRequest(op, details)
	if err != nil {
		t.Fatal(err)
	}
	return *r
}

func compact(t *testing.T, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
