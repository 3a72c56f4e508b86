package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMarshal_UnknownMembersAtEachDepth_AreKept sends members without a field through documents at several
// depths: none is lost, and what has a field takes it whatever its case.
func TestMarshal_UnknownMembersAtEachDepth_AreKept(t *testing.T) {
	const in = `{
		"owner": "me", "SchemaVersion": {"Major": 2, "Minor": 9}, "Nested": {"Deep": [1, 2.50, 18446744073709551615]},
		"Container": {
			"Storage": {"Layers": [{"Id": "a", "LayerNew": null}], "Quota": 7},
			"Processor": {"Maximum": 100, "Limit": 9007199254740993}
		}
	}`
	var d ComputeSystem
	if err := Unmarshal([]byte(in), &d); err != nil {
		t.Fatal(err)
	}
	if d.Owner != "me" || d.Container.Storage.Layers[0].Id != "a" {
		t.Errorf("known fields are lost: %+v", d)
	}
	out, err := Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Owner":"me","SchemaVersion":{"Major":2,"Minor":9},"Container":{"Storage":{"Layers":[{"Id":"a",` +
		`"LayerNew":null}],"Quota":7},"Processor":{"Maximum":100,"Limit":9007199254740993}},` +
		`"Nested":{"Deep":[1,2.50,18446744073709551615]}}`
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMarshal_UnknownMembersAlone_AreKept(t *testing.T) {
	var m Memory
	if err := Unmarshal([]byte(`{"b":1,"a":"<&>"}`), &m); err != nil {
		t.Fatal(err)
	}
	out, err := Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"a": "<&>", "b": 1.0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnmarshal_IntoUsedDocument_ForgetsItsUnknownMembers: what a document held before is not mixed into the next.
func TestUnmarshal_IntoUsedDocument_ForgetsItsUnknownMembers(t *testing.T) {
	m := Memory{Unknown: Unknown{"old": json.RawMessage("1")}}
	if err := Unmarshal([]byte(`{"SizeInMB":2}`), &m); err != nil {
		t.Fatal(err)
	}
	if m.Unknown != nil || m.SizeInMB != 2 {
		t.Errorf("got %+v", m)
	}
}

func TestUnmarshal_WrongType_Fails(t *testing.T) {
	for _, in := range []string{`[]`, `{"SizeInMB":"2"}`, `{"SizeInMB":-1}`, `{`} {
		if err := Unmarshal([]byte(in), new(Memory)); err == nil {
			t.Errorf("%s is accepted", in)
		}
	}
}

// FuzzRoundTrip: whatever a document takes, its encoding says the same again.
func FuzzRoundTrip(f *testing.F) {
	kinds := []func() any{
		func() any { return new(ComputeSystem) }, func() any { return new(ProcessParameters) }, func() any { return new(ProcessStatus) },
		func() any { return new(Properties) }, func() any { return new(ServiceProperties) }, func() any { return new(SystemExitStatus) },
		func() any { return new(ResultError) }, func() any { return new(ContainerCredentialGuardSystemInfo) }, func() any { return new(ModifySettingRequest) },
	}
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no documents: %v", err)
	}
	for kind := range kinds {
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(kind), text)
		}
	}
	f.Add(uint8(0), []byte(`{"Container":{"Memory":{"SizeInMB":1,"X":[]}},"container":{}}`))
	f.Add(uint8(0), []byte(`{"":1,"\u0000":2,"Container":null}`))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		create := kinds[int(kind)%len(kinds)]
		document, again := create(), create()
		if Unmarshal(data, document) != nil {
			return
		}
		once, err := Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if err := Unmarshal(once, again); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		twice, err := Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if string(once) != string(twice) {
			t.Errorf("%s became %s", once, twice)
		}
	})
}
