package testenv

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// Require opens the test environment for a test and closes it with the test. If it is missing, the test is skipped and
// the missing capability is named. If BED_REQUIRED is set, as "make test" does, the test fails instead.
func Require(t testing.TB) *Env {
	t.Helper()
	e, err := Open(t.Context())
	if err != nil {
		skipOrFail(t, err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// RequireCRI does the same for a test that also needs crictl.exe.
func RequireCRI(t testing.TB) *Env {
	t.Helper()
	e := Require(t)
	if _, err := os.Stat(e.UnixPath(e.Exe("crictl"))); err != nil {
		skipOrFail(t, fmt.Errorf("%w with crictl.exe; run go run ./test/wine crictl", ErrMissing))
	}
	return e
}

// skipOrFail ends a test whose test environment is missing.
func skipOrFail(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) && os.Getenv("BED_REQUIRED") == "" {
		t.Skip(err)
	}
	t.Fatal(err)
}
