package e2e

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	runtimeoptions "github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/typeurl/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/siloshim/siloshim/deploy/containerd"
	"github.com/siloshim/siloshim/shim/bootstrap"
)

// The table of options in docs/from-runhcs.md has every field of the message. Each cell says correctly whether a value
// other than the default is an error, has an effect, or has none.
func TestOptions_Documented_MatchTheShim(t *testing.T) {
	text, err := os.ReadFile("../../docs/from-runhcs.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 6 && strings.HasPrefix(line, "| `") {
			rows[strings.Trim(cells[1], " `")] = cells
		}
	}
	fields := new(runhcs.Options).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		cells, there := rows[string(field.Name())]
		if !there {
			t.Errorf("the table has no %s", field.Name())
			continue
		}
		key := strings.Trim(cells[2], " `")
		if _, is := reflect.TypeFor[runhcs.Options]().FieldByName(key); !is {
			t.Errorf("%s: runhcs has no key %s", field.Name(), key)
		}
		message := new(runhcs.Options)
		message.ProtoReflect().Set(field, unusual(message.ProtoReflect(), field))
		checkCell(t, string(field.Name())+" in the message", cells[3], message)
		checkCell(t, key+" in the table", cells[4], &runtimeoptions.Options{ConfigBody: []byte(unusualKey(key, field))})
	}
}

// checkCell compares a cell with the effect of options on the shim.
func checkCell(t *testing.T, what, cell string, options proto.Message) {
	t.Helper()
	wrapped, err := typeurl.MarshalAny(options)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bootstrap.DecodeOptions(wrapped)
	none, errNone := bootstrap.DecodeOptions(nil)
	if errNone != nil {
		t.Fatal(errNone)
	}
	is := "followed"
	switch {
	case err != nil:
		is = "error"
	case reflect.DeepEqual(got, none):
		is = "no effect"
	}
	documented := "followed"
	for _, word := range []string{"error", "no effect"} {
		if strings.Contains(cell, word) {
			documented = word
		}
	}
	if is != documented {
		t.Errorf("%s: the table has %q, but the effect is %q (%v)", what, strings.TrimSpace(cell), is, err)
	}
}

// unusual is a value other than the default of a field, which runhcs accepts.
func unusual(m protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.Value {
	switch {
	case field.IsMap():
		v := m.NewField(field)
		v.Map().Set(protoreflect.ValueOfString("key").MapKey(), protoreflect.ValueOfString("value"))
		return v
	case field.Name() == "scrub_logs":
		return protoreflect.ValueOfBool(false)
	case field.Name() == "log_level":
		return protoreflect.ValueOfString("debug")
	}
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("value")
	default:
		return protoreflect.ValueOfInt32(1)
	}
}

// unusualKey is the same as a line of TOML.
func unusualKey(key string, field protoreflect.FieldDescriptor) string {
	value := "1"
	switch {
	case field.IsMap():
		value = "{key = 'value'}"
	case field.Name() == "scrub_logs":
		value = "false"
	case field.Name() == "log_level":
		value = "'debug'"
	case field.Kind() == protoreflect.BoolKind:
		value = "true"
	case field.Kind() == protoreflect.StringKind:
		value = "'value'"
	}
	return fmt.Sprintf("%s = %s\n", key, value)
}

// The shim accepts the options of the handlers. No handler passes annotations that override the user or the limits of a pod.
func TestHandlers_Deployed_AcceptedByTheShim(t *testing.T) {
	for text, section := range map[string]string{
		containerd.Current: "io.containerd.cri.v1.runtime", containerd.Legacy: "io.containerd.grpc.v1.cri",
	} {
		var doc struct {
			Plugins map[string]struct {
				Containerd struct {
					Runtimes map[string]struct {
						RuntimeType    string         `toml:"runtime_type"`
						PodAnnotations []string       `toml:"pod_annotations"`
						Options        map[string]any `toml:"options"`
					} `toml:"runtimes"`
				} `toml:"containerd"`
			} `toml:"plugins"`
		}
		if err := toml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		handlers := doc.Plugins[section].Containerd.Runtimes
		if len(handlers) == 0 {
			t.Errorf("%s has no handlers", section)
		}
		for name, h := range handlers {
			if h.RuntimeType != runtime {
				t.Errorf("%s: runtime_type %s", name, h.RuntimeType)
			}
			if diff := cmp.Diff([]string{"io.siloshim.*"}, h.PodAnnotations); diff != "" {
				t.Errorf("%s: annotations of pods:\n%s", name, diff)
			}
			body, err := toml.Marshal(h.Options)
			if err != nil {
				t.Fatal(err)
			}
			options, err := typeurl.MarshalAny(&runtimeoptions.Options{ConfigBody: body})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bootstrap.DecodeOptions(options); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
