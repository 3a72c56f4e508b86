package plan

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMergeEnv_SameName_LastValueFirstPosition(t *testing.T) {
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

func TestEnviron_RootFileSystem_ExtendsPath(t *testing.T) {
	j := newJob(t, machine(bindFilter), layered)
	const more = `C:\hpc;C:\Windows\System32\WindowsPowerShell\v1.0;C:\Windows\System32\Wbem`
	for _, tt := range []struct {
		user, own []string
		want      string
	}{
		{[]string{`Path=C:\bin;`}, nil, `Path=C:\bin;` + more},
		{[]string{`Path=C:\bin`}, []string{`PATH=c:\own`}, `PATH=c:\own;` + more},
		{nil, nil, "PATH=" + more},
		{[]string{`PATH=c:\windows\system32\wbem\;C:/HPC`}, nil, `PATH=c:\windows\system32\wbem\;C:/HPC;C:\Windows\System32\WindowsPowerShell\v1.0`},
	} {
		env := j.Environ(tt.user, &Process{Env: tt.own})
		if !slices.Contains(env, tt.want) {
			t.Errorf("user %q, own %q: %q, want %q in it", tt.user, tt.own, env, tt.want)
		}
	}
	if env := newJob(t, machine(app)).Environ([]string{`PATH=C:\bin`}, &Process{}); !slices.Equal(env, []string{`PATH=C:\bin`}) {
		t.Errorf("without a root: %q", env)
	}
}
