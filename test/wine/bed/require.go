package bed

import (
	"errors"
	"os"
	"testing"
)

// Require opens the bed for a test and closes it with the test. Without a bed the test is skipped, with the missing
// capability named; where BED_REQUIRED is set, as "make test" does, that is a failure instead.
func Require(t testing.TB) *Bed {
	t.Helper()
	b, err := Open(t.Context())
	switch {
	case err == nil:
	case errors.Is(err, ErrAbsent) && os.Getenv("BED_REQUIRED") == "":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}
