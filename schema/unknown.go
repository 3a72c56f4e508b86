package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Unknown holds the members of a JSON object that its Go type has no field for.
type Unknown map[string]json.RawMessage

// marshal writes the fields of d and behind them u in the order of its names.
func marshal[T any](d T, u Unknown) ([]byte, error) {
	b, err := json.Marshal(reflect.ValueOf(d).Convert(layoutOf[T]().plain).Interface())
	if err != nil || len(u) == 0 {
		return b, err
	}
	b = bytes.TrimSuffix(b, []byte("}"))
	for _, name := range slices.Sorted(maps.Keys(u)) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, key...), ':'), u[name]...)
	}
	return append(b, '}'), nil
}

// unmarshal reads data into the fields of d, and what it has none for into u.
func unmarshal[T any](data []byte, d *T, u *Unknown) error {
	l := layoutOf[T]()
	if err := json.Unmarshal(data, reflect.ValueOf(d).Convert(reflect.PointerTo(l.plain)).Interface()); err != nil {
		return err
	}
	var members Unknown
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return l.names[strings.ToLower(name)] })
	*u = nil
	if len(members) > 0 {
		*u = members
	}
	return nil
}

// layout is what encoding and decoding need to know of the type of a document.
type layout struct {
	plain reflect.Type    // the type without its methods, which would call us again
	names map[string]bool // of the fields in JSON, in lower case: decoding does not mind the case
}

var layouts sync.Map // reflect.Type to layout

func layoutOf[T any]() layout {
	t := reflect.TypeFor[T]()
	if l, ok := layouts.Load(t); ok {
		return l.(layout)
	}
	l := layout{names: make(map[string]bool)}
	var fields []reflect.StructField
	for f := range t.Fields() {
		fields = append(fields, f)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
			l.names[strings.ToLower(name)] = true
		}
	}
	l.plain = reflect.StructOf(fields)
	layouts.Store(t, l)
	return l
}
