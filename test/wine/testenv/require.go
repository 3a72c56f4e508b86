package testenv

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// Require opens the test environment for a test and closes it with the test. Without a test environment the test is skipped, with the missing
// capability named; where BED_REQUIRED is set, as "make test" does, that is a failure instead.
func Require(t testing.TB) *Env {
	t.Helper()
	e, err := Open(t.Context())
	if err != nil {
		absent(t, err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// RequireCRI does the same where the test needs crictl.exe too.
func RequireCRI(t testing.TB) *Env {
	t.Helper()
	e := Require(t)
	if _, err := os.Stat(e.UnixPath(e.Exe("crictl"))); err != nil {
		absent(t, fmt.Errorf("%w with crictl.exe; run go run ./test/wine crictl", ErrMissing))
	}
	return e
}

// absent ends a test that lacks its ground.
func absent(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) && os.Getenv("BED_REQUIRED") == "" {
		t.Skip(err)
	}
	t.Fatal(err)
}
