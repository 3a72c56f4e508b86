package nomad

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// decoder has the text of a job file, from which references such as ${NOMAD_PORT_http} are copied: a task's client, and
// not the parser of the file, replaces them.
type decoder struct{ text []byte }

// Decode reads the job of a file. The error names every place that api.Job has no field for.
func Decode(name string, text []byte) (*api.Job, error) {
	file, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	var top struct {
		Job api.Job `hcl:"job,block"`
	}
	err := (&decoder{text}).body(file.Body.(*hclsyntax.Body), reflect.ValueOf(&top).Elem())
	return &top.Job, err
}

// field is where the value of an attribute, a block or a label goes.
type field struct {
	value reflect.Value
	kind  string // "", optional, block or label
}

// fieldsOf returns the fields of a struct with an hcl tag by their names in a file, and its labels.
func fieldsOf(v reflect.Value) (named map[string]field, labels []reflect.Value) {
	named = map[string]field{}
	for i := range v.NumField() {
		name, kind, _ := strings.Cut(v.Type().Field(i).Tag.Get("hcl"), ",")
		switch {
		case kind == "label":
			labels = append(labels, v.Field(i))
		case name != "":
			named[name] = field{v.Field(i), kind}
		}
	}
	return named, labels
}

func (d *decoder) body(b *hclsyntax.Body, into reflect.Value) error {
	fields, _ := fieldsOf(into)
	var errs []error
	fail := func(at hcl.Range, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
	}
	for name, a := range b.Attributes {
		f, ok := fields[name]
		if !ok || f.kind == "block" {
			fail(a.SrcRange, "%s has no attribute %q", into.Type(), name)
		} else if err := d.attribute(a.Expr, f.value); err != nil {
			fail(a.SrcRange, "%s: %w", name, err)
		}
	}
	for name, f := range fields {
		if f.kind == "" && b.Attributes[name] == nil {
			fail(b.SrcRange, "the attribute %q is missing", name)
		}
	}
	for _, block := range b.Blocks {
		f, ok := fields[block.Type]
		if !ok || f.kind != "block" {
			fail(block.DefRange(), "%s has no block %q", into.Type(), block.Type)
		} else if err := d.block(block, f.value); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// block decodes a block into a struct, into a new element of a slice, or into a map of its attributes.
func (d *decoder) block(b *hclsyntax.Block, into reflect.Value) error {
	switch into.Kind() {
	case reflect.Slice:
		element := reflect.New(into.Type().Elem()).Elem()
		err := d.block(b, element)
		into.Set(reflect.Append(into, element))
		return err
	case reflect.Pointer:
		if !into.IsNil() {
			return fmt.Errorf("%s: the block %q exists twice", b.DefRange(), b.Type)
		}
		into.Set(reflect.New(into.Type().Elem()))
		return d.block(b, into.Elem())
	case reflect.Map:
		return d.entries(b, into)
	}
	if name := into.FieldByName("Name"); into.Type() == reflect.TypeFor[api.Job]() && len(b.Labels) == 1 {
		name.Set(reflect.ValueOf(&b.Labels[0])) // the tags have no label for a job's name
		return d.body(b.Body, into)
	}
	_, labels := fieldsOf(into)
	if len(labels) != len(b.Labels) {
		return fmt.Errorf("%s: the block %q has %d labels, want %d", b.DefRange(), b.Type, len(b.Labels), len(labels))
	}
	for i, label := range labels {
		if label.Kind() == reflect.Pointer {
			label.Set(reflect.New(label.Type().Elem()))
			label = label.Elem()
		}
		label.SetString(b.Labels[i])
	}
	return d.body(b.Body, into)
}

// entries decodes a block whose attributes have any name: env, meta and a driver's config.
func (d *decoder) entries(b *hclsyntax.Block, into reflect.Value) error {
	if len(b.Body.Blocks) > 0 {
		return fmt.Errorf("%s: the block %q has blocks, which this test does not decode", b.DefRange(), b.Type)
	}
	into.Set(reflect.MakeMap(into.Type()))
	for name, a := range b.Body.Attributes {
		entry := reflect.New(into.Type().Elem()).Elem()
		if err := d.attribute(a.Expr, entry); err != nil {
			return fmt.Errorf("%s: %s: %w", a.SrcRange, name, err)
		}
		into.SetMapIndex(reflect.ValueOf(name), entry)
	}
	return nil
}

func (d *decoder) attribute(e hclsyntax.Expression, into reflect.Value) error {
	v, err := d.value(e)
	if err != nil {
		return err
	}
	target := into.Type()
	if target.Kind() == reflect.Pointer {
		into.Set(reflect.New(target.Elem()))
		into, target = into.Elem(), target.Elem()
	}
	if target == reflect.TypeFor[time.Duration]() {
		if v.Type() != cty.String {
			return errors.New("want a duration such as \"30s\"")
		}
		length, err := time.ParseDuration(v.AsString())
		into.SetInt(int64(length))
		return err
	}
	if target.Kind() == reflect.Interface {
		text, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			return err
		}
		return json.Unmarshal(text, into.Addr().Interface())
	}
	want, err := gocty.ImpliedType(reflect.New(target).Elem().Interface())
	if err != nil {
		return err
	}
	if v, err = convert.Convert(v, want); err != nil {
		return err
	}
	return gocty.FromCtyValue(v, into.Addr().Interface())
}

// value evaluates an expression. A reference becomes its text.
func (d *decoder) value(e hclsyntax.Expression) (cty.Value, error) {
	switch e := e.(type) {
	case *hclsyntax.TupleConsExpr:
		var list []cty.Value
		for _, part := range e.Exprs {
			v, err := d.value(part)
			if err != nil {
				return cty.NilVal, err
			}
			list = append(list, v)
		}
		return cty.TupleVal(list), nil
	case *hclsyntax.TemplateExpr:
		text := ""
		for _, part := range e.Parts {
			v, err := d.value(part)
			if err != nil {
				return cty.NilVal, err
			}
			text += v.AsString()
		}
		return cty.StringVal(text), nil
	case *hclsyntax.TemplateWrapExpr:
		return d.value(e.Wrapped)
	case *hclsyntax.ScopeTraversalExpr:
		return cty.StringVal("${" + string(e.SrcRange.SliceBytes(d.text)) + "}"), nil
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() {
		return v, diags
	}
	return v, nil
}
