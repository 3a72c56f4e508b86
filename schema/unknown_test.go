package schema

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnknownSurvives sends members without a field through documents at several
// depths: none is lost, and what has a field takes it whatever its case.
func TestUnknownSurvives(t *testing.T) {
	const in = `{
		"owner": "me", "SchemaVersion": {"Major": 2, "Minor": 9}, "Nested": {"Deep": [1, 2.50, 18446744073709551615]},
		"Container": {
			"Storage": {"Layers": [{"Id": "a", "LayerNew": null}], "Quota": 7},
			"Processor": {"Maximum": 100, "Limit": 9007199254740993}
		}
	}`
	var d ComputeSystem
	if err := json.Unmarshal([]byte(in), &d); err != nil {
		t.Fatal(err)
	}
	if d.Owner != "me" || d.Container.Storage.Layers[0].Id != "a" {
		t.Errorf("known fields are lost: %+v", d)
	}
	out, err := json.Marshal(d)
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

func TestUnknownAlone(t *testing.T) {
	var m Memory
	if err := json.Unmarshal([]byte(`{"b":1,"a":"<&>"}`), &m); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(m)
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

// TestUnknownForgotten: what a document held before is not mixed into the next.
func TestUnknownForgotten(t *testing.T) {
	m := Memory{Unknown: Unknown{"old": json.RawMessage("1")}}
	if err := json.Unmarshal([]byte(`{"SizeInMB":2}`), &m); err != nil {
		t.Fatal(err)
	}
	if m.Unknown != nil || m.SizeInMB != 2 {
		t.Errorf("got %+v", m)
	}
}

func TestWrongType(t *testing.T) {
	for _, in := range []string{`[]`, `{"SizeInMB":"2"}`, `{"SizeInMB":-1}`, `{`} {
		if err := json.Unmarshal([]byte(in), new(Memory)); err == nil {
			t.Errorf("%s is accepted", in)
		}
	}
}

func TestNspawnRefuses(t *testing.T) {
	const good = `{"process_directory":"a","process_executable":"b","mapped_directory":"c","stdout_filename":"d","parent_layer_directory":"e"}`
	if _, err := ReadNspawn([]byte(good)); err != nil {
		t.Fatalf("the smallest one is refused: %v", err)
	}
	for what, in := range map[string]string{
		"process_executable is missing": strings.Replace(good, "process_executable", "process_exe", 1),
		`unknown key "extra"`:           strings.Replace(good, "{", `{"extra":1,`, 1),
		`unknown key "Max_ram_mb"`:      strings.Replace(good, "{", `{"Max_ram_mb":1,`, 1),
		"process_directory is empty":    strings.Replace(good, `"a"`, `""`, 1),
		"cpus_count":                    strings.Replace(good, "{", `{"cpus_count":65536,`, 1),
		"invalid character":             good + "{}",
	} {
		if _, err := ReadNspawn([]byte(in)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want one about %s", err, what)
		}
	}
}

// FuzzRoundTrip: whatever a document takes, its encoding says the same again.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(`{"Container":{"Memory":{"SizeInMB":1,"X":[]}},"container":{}}`))
	f.Add([]byte(`{"":1,"\u0000":2,"Container":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d ComputeSystem
		if json.Unmarshal(data, &d) != nil {
			return
		}
		once, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again ComputeSystem
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		twice, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if string(once) != string(twice) {
			t.Errorf("%s became %s", once, twice)
		}
	})
}
