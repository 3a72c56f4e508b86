package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Unknown holds the members of a JSON object that its Go type has no field for.
type Unknown map[string]json.RawMessage

// Marshal encodes v as [json.Marshal] does, and what each document in it has in
// Unknown behind the fields of the document, in the order of the names.
func Marshal(v any) ([]byte, error) { return encode(reflect.ValueOf(v)) }

func encode(v reflect.Value) ([]byte, error) {
	switch {
	case !v.IsValid():
		return []byte("null"), nil
	case !holdsDocuments(v.Type()) || v.Kind() != reflect.Struct && v.IsNil():
		return json.Marshal(v.Interface())
	case v.Kind() == reflect.Pointer:
		return encode(v.Elem())
	}
	var items [][]byte
	add := func(name string, value reflect.Value) error {
		text, err := encode(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if v.Kind() == reflect.Struct {
			key, err := json.Marshal(name)
			if err != nil {
				return err
			}
			text = append(append(key, ':'), text...)
		}
		items = append(items, text)
		return nil
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			if err := add(fmt.Sprint(i), v.Index(i)); err != nil {
				return nil, err
			}
		}
		return slices.Concat([]byte("["), bytes.Join(items, []byte(",")), []byte("]")), nil
	}
	l := layoutOf(v.Type())
	for _, f := range l.fields {
		value := v.Field(f.index)
		empty := value.IsZero() || value.Kind() == reflect.Slice && value.Len() == 0 || value.Kind() == reflect.Map && value.Len() == 0
		if empty && f.optional {
			continue
		}
		if err := add(f.name, value); err != nil {
			return nil, err
		}
	}
	unknown, _ := v.Field(l.unknown).Interface().(Unknown)
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		if err := add(name, reflect.ValueOf(unknown[name])); err != nil {
			return nil, err
		}
	}
	return slices.Concat([]byte("{"), bytes.Join(items, []byte(",")), []byte("}")), nil
}

// Unmarshal decodes data into v as [json.Unmarshal] does, and what a document has no
// field for into its Unknown. An error names the member.
func Unmarshal(data []byte, v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return &json.InvalidUnmarshalError{Type: reflect.TypeOf(v)}
	}
	// The syntax is checked first, so that an error of it leaves v alone.
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		return err
	}
	return decode(json.NewDecoder(bytes.NewReader(data)), p.Elem())
}

func decode(d *json.Decoder, v reflect.Value) error {
	if !holdsDocuments(v.Type()) {
		return d.Decode(v.Addr().Interface())
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t == nil { // null, which leaves a structure alone
		if v.Kind() != reflect.Struct {
			v.SetZero()
		}
		return nil
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	switch {
	case t == json.Delim('{') && v.Kind() == reflect.Struct:
		err = decodeMembers(d, v)
	case t == json.Delim('[') && v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		for err == nil && d.More() {
			e := reflect.New(v.Type().Elem()).Elem()
			err = decode(d, e)
			v.Set(reflect.Append(v, e))
		}
	default:
		err = &json.UnmarshalTypeError{Value: fmt.Sprintf("%T", t), Type: v.Type(), Offset: d.InputOffset()}
	}
	if err == nil {
		_, err = d.Token() // the end of the object or the array
	}
	return err
}

func decodeMembers(d *json.Decoder, v reflect.Value) error {
	l := layoutOf(v.Type())
	var unknown Unknown
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, raw := t.(string), json.RawMessage(nil)
		member := reflect.ValueOf(&raw).Elem()
		// As for encoding/json, a member need not have the case of its field.
		at := slices.IndexFunc(l.fields, func(f field) bool { return strings.EqualFold(f.name, name) })
		if at >= 0 {
			member = v.Field(l.fields[at].index)
		}
		if err := decode(d, member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if at < 0 {
			if unknown == nil {
				unknown = make(Unknown)
			}
			unknown[name] = raw
		}
	}
	v.Field(l.unknown).Set(reflect.ValueOf(unknown))
	return nil
}

// holdsDocuments reports whether t is a document, or a pointer to or a slice of what
// holds some. encoding/json handles all other types.
func holdsDocuments(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && layoutOf(t).unknown >= 0
}

// layout has the members of a structure.
type layout struct {
	fields  []field
	unknown int // index of the field Unknown, or -1
}

type field struct {
	index    int
	name     string
	optional bool // left out if it is empty
}

var layouts sync.Map // reflect.Type to layout

func layoutOf(t reflect.Type) layout {
	if l, ok := layouts.Load(t); ok {
		return l.(layout)
	}
	l := layout{unknown: -1}
	for f := range t.Fields() {
		if f.Type == reflect.TypeFor[Unknown]() {
			l.unknown = f.Index[0]
		} else if name, options, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			l.fields = append(l.fields, field{f.Index[0], name, options != ""})
		}
	}
	layouts.Store(t, l)
	return l
}
