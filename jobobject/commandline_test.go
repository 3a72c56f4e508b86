package jobobject_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func TestCommandLine_Arguments_AreQuotedWhereNeeded(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"a.exe"}, `a.exe`},
		{[]string{""}, `""`},
		{[]string{`C:\Program Files\a.exe`, "b"}, `"C:\Program Files\a.exe" b`},
		{[]string{`C:\a\`, `b\`}, `C:\a\ b\`},
		{[]string{"a", ""}, `a ""`},
		{[]string{"a", "b c"}, `a "b c"`},
		{[]string{"a", "b\tc"}, "a \"b\tc\""},
		{[]string{"a", `b c\`}, `a "b c\\"`},
		{[]string{"a", `"q"`}, `a \"q\"`},
		{[]string{"a", `b\"c`}, `a b\\\"c`},
		{[]string{"a", `b\\c`}, `a b\\c`},
		{[]string{"a", "%PATH%", "ä😀"}, `a %PATH% ä😀`},
	} {
		got, err := jobobject.CommandLineOf(tt.args)
		if err != nil || got != tt.want {
			t.Errorf("CommandLineOf(%q) = %q, %v, want %q", tt.args, got, err, tt.want)
		}
	}
}

func TestCommandLine_NotExpressible_IsRefusedWithoutText(t *testing.T) {
	for want, args := range map[string][]string{
		"argument 0, the program, has a quotation mark": {`"secret"`},
		"argument 2 has a NUL character":                {"a", "b", "secret\x00"},
	} {
		if got, err := jobobject.CommandLineOf(args); err == nil || err.Error() != want || got != "" {
			t.Errorf("CommandLineOf(%q) = %q, %v, want %q", args, got, err, want)
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	f.Add("a.exe\n\nb c\\\n\"q\"")
	f.Add("C:\\x y\\\n\\\\\"\n\\")
	f.Fuzz(func(t *testing.T, joined string) {
		args := strings.Split(joined, "\n")
		line, err := jobobject.CommandLineOf(args)
		if err != nil {
			return
		}
		if diff := cmp.Diff(args, jobtest.SplitCommandLine(line)); diff != "" {
			t.Errorf("%q is split otherwise (-want +got):\n%s", line, diff)
		}
	})
}
