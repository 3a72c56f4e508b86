package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseNspawnConfig_File_HasItsValues(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "nspawn-config.json"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := ParseNspawnConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"foo", "bar/baz"}; !cmp.Equal(n.ProcessArguments, want) || n.ProcessExecutable != `bin\hello.exe` {
		t.Errorf("arguments %q, executable %q", n.ProcessArguments, n.ProcessExecutable)
	}
}

func TestParseNspawnConfig_InvalidFile_FailsAndNamesTheKey(t *testing.T) {
	const good = `{"process_directory":"a","process_executable":"b","mapped_directory":"c","stdout_filename":"d","parent_layer_directory":"e"}`
	if _, err := ParseNspawnConfig([]byte(good)); err != nil {
		t.Fatalf("the smallest one is refused: %v", err)
	}
	for what, in := range map[string]string{
		"process_executable is missing": strings.Replace(good, "process_executable", "process_exe", 1),
		`unknown key "extra"`:           strings.Replace(good, "{", `{"extra":1,`, 1),
		`unknown key "Max_ram_mb"`:      strings.Replace(good, "{", `{"Max_ram_mb":1,`, 1),
		"process_directory is empty":    strings.Replace(good, `"a"`, `""`, 1),
		"cpus_count":                    strings.Replace(good, "{", `{"cpus_count":65536,`, 1),
		"invalid character":             good + "{}",
	} {
		if _, err := ParseNspawnConfig([]byte(in)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want one about %s", err, what)
		}
	}
}
