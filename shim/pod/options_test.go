package pod

import (
	"slices"
	"testing"

	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/anypb"
)

// message is a field of a message that holds these.
func message(field protowire.Number, inner ...[]byte) []byte {
	var content []byte
	for _, i := range inner {
		content = append(content, i...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), content)
}

func number(field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n)
}

func TestHostProcess_Options_FieldIsFound(t *testing.T) {
	// What the runtime interface sends, around the field that is looked for.
	around := slices.Concat(message(1, message(1, []byte("name"))),
		message(7, message(1, []byte("microsoft.com/hostprocess-container")), message(2, []byte("true"))))
	for name, tt := range map[string]struct {
		kind        string
		value       []byte
		wanted, set bool
		fails       bool
	}{
		"no options":                 {},
		"nothing is set":             {kind: podConfigType, set: true},
		"wanted":                     {kind: "types.example/" + podConfigType, value: slices.Concat(around, message(9, message(1, message(1, []byte("u")), number(3, 1)))), wanted: true, set: true},
		"not wanted":                 {kind: podConfigType, value: slices.Concat(around, message(9, message(1, number(3, 0)))), set: true},
		"the same number elsewhere":  {kind: podConfigType, value: append(message(9, message(2, number(3, 1))), message(8, message(1, number(3, 1)))...), set: true},
		"the last holds":             {kind: podConfigType, value: message(9, message(1, number(3, 1)), message(1, number(3, 0))), set: true},
		"what comes after adds":      {kind: podConfigType, value: append(message(9, message(1, number(3, 1))), message(9, message(1))...), wanted: true, set: true},
		"a field of another kind":    {kind: podConfigType, value: message(9, message(1, message(3, []byte{1}))), set: true},
		"options of another type":    {kind: "example.Options", value: message(9, message(1, number(3, 1))), fails: true},
		"cut off":                    {kind: podConfigType, value: message(9, message(1, number(3, 1)))[:4], fails: true},
		"cut off in a message in it": {kind: podConfigType, value: message(9, []byte{0x0a, 0x7f}), fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			wanted, set, err := hostProcess(&anypb.Any{TypeUrl: tt.kind, Value: tt.value})
			if wanted != tt.wanted || set != tt.set || errdefs.IsInvalidArgument(err) != tt.fails {
				t.Errorf("host process is wanted: %v, set: %v, %v; want %v, %v", wanted, set, err, tt.wanted, tt.set)
			}
		})
	}
}

// FuzzHostProcess: wanted implies set, and either set or the error is returned.
func FuzzHostProcess(f *testing.F) {
	f.Add(message(9, message(1, number(3, 1))))
	f.Add([]byte{0x4a, 0xff})
	f.Fuzz(func(t *testing.T, value []byte) {
		wanted, set, err := hostProcess(&anypb.Any{TypeUrl: podConfigType, Value: value})
		if wanted && !set || set == (err != nil) {
			t.Errorf("wanted: %v, set: %v, %v", wanted, set, err)
		}
	})
}
