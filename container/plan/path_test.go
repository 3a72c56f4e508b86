package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
)

func TestValidID_Names_AcceptedOrRefused(t *testing.T) {
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

func TestBeneath_Paths_WholeElementsWithoutCase(t *testing.T) {
	const dir = `C:\hpc`
	for path, want := range map[string]string{
		`C:\hpc`: "", `c:\HPC\`: "", `C:\hpc\a\b`: `\a\b`, `C:\hpc\a\`: `\a`, `C:\hpcx`: "no", `C:\`: "no", `D:\hpc`: "no",
	} {
		if rest, ok := Beneath(dir, path); ok != (want != "no") || ok && rest != want {
			t.Errorf("%s below %s: %q, %t; want %q", path, dir, rest, ok, want)
		}
	}
}

func TestIsPlain_Paths_NoParentNoStreamNoDroppedCharacter(t *testing.T) {
	for path, want := range map[string]bool{
		`C:\a\b.c`: true, `C:\`: true, `C:\a\..\b`: false, `C:\a.`: false, `C:\a \b`: false, `C:\a:b`: false, `C:\a*`: false,
	} {
		if got := isPlain(path); got != want {
			t.Errorf("%s is plain: %t, want %t", path, got, want)
		}
	}
}
