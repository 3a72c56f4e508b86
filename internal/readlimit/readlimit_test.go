package readlimit_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/internal/readlimit"
)

func TestFile_AtItsLimit_IsReadWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, content := range []string{"", "12345678"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readlimit.File(path, 8); err != nil || string(got) != content {
			t.Errorf("read %q, %v; want %q", got, err, content)
		}
	}
	if _, err := readlimit.File(path+"x", 8); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestFile_AboveItsLimit_ErrorNamesFileSizeAndLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := readlimit.File(path, 8)
	if !errors.Is(err, readlimit.ErrTooLarge) {
		t.Fatalf("read 9 bytes with a limit of 8: %v", err)
	}
	for _, want := range []string{path, " 9 bytes", "limit is 8"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not have %q", err, want)
		}
	}
}

// A pipe has no size, so its content is what is measured.
func TestRead_PipeWithoutASize_EndsAtTheLimit(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	go func() { // ends when the reader closes the pipe
		for {
			if _, err := in.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	}()
	if _, err := readlimit.Read(out, 1<<12); !errors.Is(err, readlimit.ErrTooLarge) {
		t.Errorf("an endless pipe: %v", err)
	}
}
