package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/internal/commandline"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func FuzzCommandLine(f *testing.F) {
	f.Add(`C:\Program Files\a.exe`, `a\"b `, "")
	f.Fuzz(func(t *testing.T, name, one, two string) {
		args := []string{name, one, two}
		if checkArgs(args) != nil {
			return
		}
		line := commandline.Join(args)
		if got := jobtest.SplitCommandLine(line); !slices.Equal(args, got) {
			t.Errorf("%q became %q by way of %s", args, got, line)
		}
		if got := firstToken(line); strings.TrimLeft(name, " \t") == name && got != name {
			t.Errorf("the program of %s is %q, want %q", line, got, name)
		}
	})
}

func TestFirstToken_CommandLine_ReturnsProgram(t *testing.T) {
	for line, want := range map[string]string{
		`app`: "app", `app a b`: "app", "app\ta": "app", ` app a`: "app", `"C:\a b\app.exe" c`: `C:\a b\app.exe`,
		`"app`: "app", ``: "", `C:\Program Files\app.exe`: `C:\Program`,
	} {
		if got := firstToken(line); got != want {
			t.Errorf("firstToken(%s) = %q, want %q", line, got, want)
		}
	}
}
