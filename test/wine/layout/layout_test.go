package layout

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// compiler is in Debian's package gcc-mingw-w64-x86-64, which the test environment installs.
const compiler = "x86_64-w64-mingw32-gcc"

// layout.c is compiled and run.
func TestLayouts_MingwHeaders_MatchTheLists(t *testing.T) {
	wine := testenv.Require(t)
	exe := filepath.Join(t.TempDir(), "layout.exe")
	cmd := exec.CommandContext(t.Context(), compiler, "-Wall", "-Wextra", "-Werror", "-o", exe, filepath.Join("testdata", "layout.c"))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, text)
	}
	out, err := wine.Command(t.Context(), exe).Output()
	if err != nil {
		t.Fatal(err)
	}
	printed := lines(string(out))
	if diff := cmp.Diff(list(t, "mingw-layouts.txt"), printed); diff != "" {
		t.Errorf("layout.c does not print what testdata/mingw-layouts.txt has (-want +got):\n%s", diff)
	}
	// The other list is from other headers. They agree on structures and fields that both have.
	win64 := map[string]string{}
	for _, line := range list(t, "win64-layouts.txt") {
		name, numbers := split(line)
		win64[name] = numbers
	}
	for _, line := range printed {
		name, numbers := split(line)
		if want, ok := win64[name]; ok && numbers != want {
			t.Errorf("%s: %s with mingw, %s in testdata/win64-layouts.txt", name, numbers, want)
		}
	}
}

// list reads one of the lists of layouts.
func list(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return lines(string(text))
}

func lines(text string) []string {
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
}

// split splits a line: "S structure" and its size, or "F structure field" and its offset and size.
func split(line string) (name, numbers string) {
	words := strings.Fields(line)
	n := map[string]int{"S": 2, "F": 3}[words[0]]
	return strings.Join(words[:n], " "), strings.Join(words[n:], " ")
}
