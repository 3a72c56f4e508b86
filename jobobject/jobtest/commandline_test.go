package jobtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitCommandLine_QuotesAndBackslashes_SplitAsTheCRuntime(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{"a", []string{"a"}},
		{`"C:\Program Files\x.exe" b`, []string{`C:\Program Files\x.exe`, "b"}},
		{`C:\x\ b`, []string{`C:\x\`, "b"}},
		{`a "b c" d`, []string{"a", "b c", "d"}},
		{`a "" b`, []string{"a", "", "b"}},
		{`a "b\\" c`, []string{"a", `b\`, "c"}},
		{`a \"b\" c`, []string{"a", `"b"`, "c"}},
		{`a \\\"b`, []string{"a", `\"b`}},
		{`a b\c\\d`, []string{"a", `b\c\\d`}},
		{`a "b""c"`, []string{"a", `b"c`}},
		{"a\t b  ", []string{"a", "b"}},
		{`a b"c d"e`, []string{"a", "bc de"}},
		{`a b\`, []string{"a", `b\`}},
	} {
		if diff := cmp.Diff(tt.want, SplitCommandLine(tt.line)); diff != "" {
			t.Errorf("SplitCommandLine(%q): %s", tt.line, diff)
		}
	}
}
