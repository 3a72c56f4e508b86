package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMergeEnv(t *testing.T) {
	base := []string{`=C:=C:\dir`, `Path=C:\Windows`, "TEMP=host", "broken", ""}
	spec := []string{`PATH=C:\app`, "A=1", "a=2", "EMPTY=", "B=x=y"}
	want := []string{`=C:=C:\dir`, `PATH=C:\app`, "TEMP=host", "a=2", "EMPTY=", "B=x=y"}
	if diff := cmp.Diff(want, MergeEnv(base, spec)); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`=C:=C:\dir`, `Path=C:\Windows`, "TEMP=host", "broken", ""}, base); diff != "" {
		t.Errorf("the base was changed:\n%s", diff)
	}
}
