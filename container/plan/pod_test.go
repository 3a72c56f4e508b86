package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestRoleOf_Annotations_RoleAndSandbox(t *testing.T) {
	const kind, id = "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"
	for name, tt := range map[string]struct {
		annotations map[string]string
		role        Role
		sandbox     string
	}{
		"no annotations":         {nil, Alone, ""},
		"a sandbox":              {map[string]string{kind: "sandbox", id: "c"}, Sandbox, "c"},
		"a sandbox without id":   {map[string]string{kind: "sandbox"}, Sandbox, "c"},
		"a workload":             {map[string]string{kind: "container", id: "p"}, Workload, "p"},
		"a workload of nothing":  {map[string]string{kind: "container"}, Alone, ""},
		"a workload and sandbox": {map[string]string{kind: "container", id: "c"}, Alone, ""},
		"an id and nothing else": {map[string]string{id: "p"}, Alone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			role, sandbox, err := RoleOf("c", tt.annotations)
			if role != tt.role || sandbox != tt.sandbox || err != nil {
				t.Errorf("role %d in %q, %v; want %d in %q", role, sandbox, err, tt.role, tt.sandbox)
			}
		})
	}
	if _, _, err := RoleOf("c", map[string]string{kind: "sandbox", id: "p"}); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("a sandbox that names another: %v", err)
	}
}

func TestKeepRunning_DefaultShell_IsReplaced(t *testing.T) {
	const shell, forever = `c:\windows\system32\cmd.exe`, `C:\Windows\System32\ping.exe -t 127.0.0.1`
	for name, tt := range map[string]struct {
		process *specs.Process
		want    string
	}{
		"a shell":              {&specs.Process{Args: []string{shell}}, forever},
		"a shell, spelt aloud": {&specs.Process{Args: []string{`C:/Windows/System32/CMD.EXE`}}, forever},
		"a shell with a task":  {&specs.Process{Args: []string{shell, "/c", "x"}}, shell + " /c x"},
		"a program":            {&specs.Process{Args: []string{"pause.exe"}}, "pause.exe"},
		"a command line":       {&specs.Process{CommandLine: "cmd", Args: []string{shell}}, shell},
	} {
		t.Run(name, func(t *testing.T) {
			keepRunning(&specs.Spec{Process: tt.process})
			if got := strings.Join(tt.process.Args, " "); got != tt.want {
				t.Errorf("it runs %q, want %q", got, tt.want)
			}
		})
	}
	keepRunning(&specs.Spec{}) // a sandbox without a process has none to keep
}

func TestInherit_PodAnnotations_OwnTakePrecedence(t *testing.T) {
	pod := map[string]string{
		"microsoft.com/hostprocess-inherit-user":    "true",
		"microsoft.com/hostprocess-rootfs-location": `C:\pod`,
		"microsoft.com/hostprocess-container":       "false",
	}
	s := &specs.Spec{Annotations: map[string]string{
		"microsoft.com/hostprocess-container":       "true",
		"microsoft.com/hostprocess-rootfs-location": `C:\own`,
	}}
	inherit(s, pod)
	want := map[string]string{
		"microsoft.com/hostprocess-container":       "true",
		"microsoft.com/hostprocess-rootfs-location": `C:\own`,
		"microsoft.com/hostprocess-inherit-user":    "true",
	}
	if diff := cmp.Diff(want, s.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestAnnotations_Config_ReadsAnnotationsOnly(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		want   map[string]string
		fails  bool
	}{
		"empty":     {"", nil, false},
		"none":      {"{}", nil, false},
		"some":      {`{"annotations":{"a":"b"},"process":7}`, map[string]string{"a": "b"}, false},
		"marked":    {"\uFEFF" + `{"annotations":{"a":"b"}}`, map[string]string{"a": "b"}, false},
		"malformed": {`{"annotations":`, nil, true},
		"not text":  {`{"annotations":{"a":1}}`, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(tt.config), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Annotations(dir)
			if errdefs.IsInvalidArgument(err) != tt.fails || cmp.Diff(tt.want, got) != "" {
				t.Errorf("annotations %v, %v; want %v", got, err, tt.want)
			}
		})
	}
	if got, err := Annotations(t.TempDir()); got != nil || err != nil {
		t.Errorf("of a bundle without a spec: %v, %v", got, err)
	}
}

func TestLoad_Placeholder_NeedsNoProcess(t *testing.T) {
	s, err := decode([]byte(`{"annotations":{"io.kubernetes.cri.container-type":"sandbox","microsoft.com/hostprocess-container":"true"},"windows":{}}`))
	if err != nil || !isPlaceholder(s) || CheckPlaceholder(s) != nil {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := decode([]byte(`{"annotations":{"io.kubernetes.cri.container-type":"sandbox"},"windows":{}}`)); !errdefs.IsInvalidArgument(err) {
		t.Errorf("a sandbox with a process, but none to run: %v", err)
	}
}
