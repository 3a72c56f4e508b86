package stdio

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRelay_LogFile_IsAppended: two processes write to one log file, one after the other; the
// directory is made, and the second appends.
func TestRelay_LogFile_IsAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "container.log")
	for _, line := range []string{"first\n", "second\n"} {
		r := open(t, Config{Stdout: uri("file", path)})
		_, out, _ := child(t, r)
		program := dup(t, out)
		r.Start()
		write(t, program, line)
		closeFiles(t, program)
		finish(t, r)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "first\nsecond\n" {
		t.Errorf("log has %q, error %v", got, err)
	}
}
