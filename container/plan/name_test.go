package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
)

func TestValidID(t *testing.T) {
	for _, id := range []string{"a", "0", "web-1", "a.b_c", "console", "com", "com10", strings.Repeat("x", 76)} {
		if err := ValidID(id); err != nil {
			t.Errorf("%q is refused: %v", id, err)
		}
	}
	for _, id := range []string{
		"", ".", "..", ".a", "-a", "a/b", `a\b`, "a:b", "a b", "a\x00", "é", "a\n", strings.Repeat("x", 77),
		"CON", "nul", "NUL.txt", "com1", "LPT9.a.b", "aux.", "a.",
	} {
		err := ValidID(id)
		if !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.HasPrefix(err.Error(), "id ") {
			t.Errorf("%q: %v, want an invalid argument that names the id", id, err)
		}
	}
}
