package plan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
)

func bundle(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoad_ValidConfig_IsRead(t *testing.T) {
	s, err := Load(bundle(t, `{"ociVersion":"1.1.0","process":{"args":["a.exe"],"cwd":"C:\\"},"annotations":{"a":"b"},"windows":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Process.Args[0] != "a.exe" || s.Annotations["a"] != "b" || s.Windows == nil {
		t.Errorf("loaded %+v", s)
	}
	if _, err := Load(bundle(t, "\uFEFF"+`{"process":{"args":["a.exe"]}}`)); err != nil {
		t.Errorf("a byte order mark: %v", err)
	}
	if _, err := Load(bundle(t, `{"process":{"commandLine":"a.exe"}}`)); err != nil {
		t.Errorf("a command line without args: %v", err)
	}
}

func TestLoad_InvalidConfig_NamesFieldOrOffset(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"empty", ``, "malformed JSON at byte 0"},
		{"cut short", `{"process":{`, "malformed JSON at byte 12"},
		{"not JSON", `{process:1}`, "malformed JSON at byte 2"},
		{"text behind it", `{"process":{"args":["a"]}} x`, "malformed JSON at byte 28"},
		{"wrong type", `{"process":{"args":"secret"}}`, "process.args at byte 27: a JSON string cannot be a []string"},
		{"a number for a word", `{"process":{"cwd":4711}}`, "process.cwd at byte 22: a JSON number cannot be a string"},
		{"cut off UTF-16", "\xFF\xFE{", "config.json: the file is UTF-16"},
		{"no process", `{}`, "process is missing"},
		{"no args", `{"process":{"cwd":"C:\\"}}`, "process.args is empty"},
		{"too large", strings.Repeat(" ", maxConfig+1), "larger than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(bundle(t, tt.config))
			if !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want an invalid argument with %q", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "4711")) {
				t.Errorf("error %v repeats a value", err)
			}
		})
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("without a config.json: %v", err)
	}
}

// everything is a container that has every file.
type everything struct{}

func (everything) IsFile(string) bool   { return true }
func (everything) IsDir(string) bool    { return true }
func (everything) MakeDir(string) error { return nil }

// FuzzLoad: any config.json gives a plan or an error, and no panic.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"process":{"args":["a.exe"],"cwd":"C:\\","env":["A=1"]},"annotations":{"microsoft.com/hostprocess-container":"true","microsoft.com/hostprocess-inherit-user":"true"},"windows":{"resources":{"cpu":{"count":1}}}}`))
	f.Add([]byte(`{"process":{"commandLine":"\"a b\" c","cwd":"\\\\?\\C:\\"},"root":{"path":"C:\\hpc"},"windows":{}}`))
	f.Add([]byte(`{"process":{"args":["%CONTAINER_SANDBOX_MOUNT_POINT%\\a"]},"mounts":[{"source":"C:\\a","destination":"/b"}],"annotations":{"microsoft.com/hostprocess-container":"true","microsoft.com/hostprocess-inherit-user":"true"},"windows":{"layerFolders":["C:\\1","C:\\s"]}}`))
	h := Machine{Lookup: func(string) bool { return true }, Processors: 1, Root: `C:\Windows`, Resolve: func(path string) (string, error) { return path, nil }}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decode(data)
		if err != nil {
			return
		}
		j, err := h.HostProcess("c", s, nil)
		if err != nil {
			return
		}
		application, dir, err := j.Process.Search.In(everything{}, j.Process.Env)
		if err != nil || application == "" || j.Process.CommandLine == "" || !isAbs(dir) {
			t.Errorf("an incomplete plan: %+v, %v", j.Process, err)
		}
	})
}
