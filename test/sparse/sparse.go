// Package sparse makes files that are too large to read, for the tests of readers.
package sparse

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Size is the size of a file, in bytes. It takes no space on a disk of Linux.
const Size = 1 << 30

// File makes a file of zeros.
func File(t testing.TB, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, Size); err != nil {
		t.Fatal(err)
	}
}

// Refused fails the test unless err is the refusal of a file for its size: it names the file, the size and the limit.
func Refused(t testing.TB, path string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s with %d bytes was read", path, Size)
		return
	}
	for _, want := range []string{path, strconv.Itoa(Size) + " bytes", "the limit is "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want one that has %q", err, want)
		}
	}
}
