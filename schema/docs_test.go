package schema

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestDocuments_EveryField_HasARowInTheDocs: every field of every document of schema version 2 has a row in
// docs/hcs.md, which says where it comes from.
func TestDocuments_EveryField_HasARowInTheDocs(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("..", "docs", "hcs.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[reflect.Type]bool)
	for _, d := range []any{
		ComputeSystem{}, ProcessParameters{}, ProcessStatus{}, ProcessModifyRequest{}, SignalProcessOptions{}, PropertyQuery{},
		SystemQuery{}, Properties{}, ModifySettingRequest{}, ModificationRequest{}, RegistryFlushState{}, ServiceProperties{},
		BasicInformation{}, ContainerCredentialGuardOperationRequest{}, ContainerCredentialGuardInstanceRequest{},
		ContainerCredentialGuardSystemInfo{}, ResultError{}, SystemExitStatus{},
	} {
		documented(t, string(table), reflect.TypeOf(d), seen)
	}
	if len(seen) < 40 {
		t.Errorf("only %d documents were found", len(seen))
	}
}

// documented looks for the fields of d, and for those of the documents within.
func documented(t *testing.T, table string, d reflect.Type, seen map[reflect.Type]bool) {
	for d.Kind() == reflect.Pointer || d.Kind() == reflect.Slice {
		d = d.Elem()
	}
	if d.Kind() != reflect.Struct || d.PkgPath() != reflect.TypeFor[ComputeSystem]().PkgPath() || seen[d] {
		return
	}
	seen[d] = true
	for f := range d.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if !strings.Contains(table, "| "+d.Name()+" | "+name+" |") {
			t.Errorf("docs/hcs.md has no row for %s.%s", d.Name(), name)
		}
		documented(t, table, f.Type, seen)
	}
}
