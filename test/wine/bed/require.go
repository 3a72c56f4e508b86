package bed

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// Require opens the bed for a test and closes it with the test. Without a bed the test is skipped, with the missing
// capability named; where BED_REQUIRED is set, as "make test" does, that is a failure instead.
func Require(t testing.TB) *Bed {
	t.Helper()
	b, err := Open(t.Context())
	if err != nil {
		absent(t, err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// RequireCRI does the same where the test needs crictl.exe too.
func RequireCRI(t testing.TB) *Bed {
	t.Helper()
	b := Require(t)
	if _, err := os.Stat(b.UnixPath(b.Exe("crictl"))); err != nil {
		absent(t, fmt.Errorf("%w with crictl.exe; run go run ./test/wine crictl", ErrAbsent))
	}
	return b
}

// absent ends a test that lacks its ground.
func absent(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrAbsent) && os.Getenv("BED_REQUIRED") == "" {
		t.Skip(err)
	}
	t.Fatal(err)
}
