package commandline_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/internal/commandline"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func TestJoin_Args_SplitUnchanged(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{`C:\app.exe`}, `C:\app.exe`},
		{[]string{`C:\Program Files\app.exe`, "a"}, `"C:\Program Files\app.exe" a`},
		{[]string{"app", ""}, `app ""`},
		{[]string{"app", `a b`, "c\td"}, "app \"a b\" \"c\td\""},
		{[]string{"app", `say "hi"`}, `app "say \"hi\""`},
		{[]string{"app", `a"b`}, `app a\"b`},
		{[]string{"app", `C:\dir\`}, `app C:\dir\`},
		{[]string{"app", `C:\my dir\`}, `app "C:\my dir\\"`},
		{[]string{"app", `\\"`}, `app \\\\\"`},
		{[]string{"app", "a&b|c%d^e", "<>()!"}, "app a&b|c%d^e <>()!"},
		{[]string{"app", "привет", "日本 語", "😀"}, `app привет "日本 語" 😀`},
		{[]string{`C:\dir with\`, "x"}, `"C:\dir with\" x`},
	}
	for _, tt := range tests {
		got := commandline.Join(tt.args)
		if got != tt.want {
			t.Errorf("Join(%q) = %s, want %s", tt.args, got, tt.want)
		}
		if diff := cmp.Diff(tt.args, jobtest.SplitCommandLine(got)); diff != "" {
			t.Errorf("%s is read as (-want +got):\n%s", got, diff)
		}
	}
}

// argvW splits a command line by the rules of CommandLineToArgvW, which differ from those of the C runtime where quotation
// marks follow one another. It shares nothing with Join and with jobtest's parser.
//
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
func argvW(line string) (args []string) {
	at := 0
	peek := func() byte {
		if at < len(line) {
			return line[at]
		}
		return 0
	}
	if end := byte('"'); peek() == end {
		closing := strings.IndexByte(line[1:], end) + 1
		if closing == 0 {
			closing = len(line)
		}
		args, at = append(args, line[1:closing]), min(closing+1, len(line))
	} else {
		for at < len(line) && line[at] > ' ' {
			at++
		}
		args = append(args, line[:at])
	}
	for {
		for peek() == ' ' || peek() == '\t' {
			at++
		}
		if at >= len(line) {
			return args
		}
		var arg []byte
		marks := 0 // an odd count is inside of a quoted part
		for at < len(line) && (marks > 0 || line[at] != ' ' && line[at] != '\t') {
			slashes := 0
			for peek() == '\\' {
				slashes, at = slashes+1, at+1
			}
			switch {
			case peek() != '"' || at >= len(line):
				arg = append(arg, bytes.Repeat([]byte{'\\'}, slashes)...)
				if at < len(line) && (marks > 0 || line[at] != ' ' && line[at] != '\t') {
					arg, at = append(arg, line[at]), at+1
				}
				continue
			case slashes%2 == 1:
				arg = append(append(arg, bytes.Repeat([]byte{'\\'}, slashes/2)...), '"')
			default:
				arg = append(arg, bytes.Repeat([]byte{'\\'}, slashes/2)...)
				marks++
			}
			for at++; peek() == '"'; at++ {
				if marks++; marks == 3 { // the third of three marks is text
					arg, marks = append(arg, '"'), 0
				}
			}
			if marks == 2 {
				marks = 0
			}
		}
		args = append(args, string(arg))
	}
}

func TestArgvW_CommandLine_SplitAsWindowsDoes(t *testing.T) {
	for line, want := range map[string][]string{
		`a.exe`: {"a.exe"}, `"a b.exe" c`: {"a b.exe", "c"}, `a "b c" d`: {"a", "b c", "d"}, `a "ab\"c" "\\" d`: {"a", `ab"c`, `\`, "d"},
		`a a\\\b d"e f"g h`: {"a", `a\\\b`, "de fg", "h"}, `a a\\\"b c d`: {"a", `a\"b`, "c", "d"}, `a a\\\\"b c" d e`: {"a", `a\\b c`, "d", "e"},
		`a "" b`: {"a", "", "b"}, `a """b""" c`: {"a", `"b"`, "c"}, `a "b`: {"a", "b"}, `a b\`: {"a", `b\`}, "a \t b\t": {"a", "b"}, `"a`: {"a"},
	} {
		if diff := cmp.Diff(want, argvW(line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// roundTrip joins arguments and splits them by both rules.
func roundTrip(t *testing.T, args []string) {
	line := commandline.Join(args)
	if got := jobtest.SplitCommandLine(line); !slices.Equal(args, got) {
		t.Fatalf("the C runtime splits %s into %q, want %q", line, got, args)
	}
	if got := argvW(line); !slices.Equal(args, got) {
		t.Fatalf("CommandLineToArgvW splits %s into %q, want %q", line, got, args)
	}
}

var commandLines = flag.Int("commandlines", 200_000, "random command lines of TestJoin_RandomArgs_SplitUnchanged")

// The words consist of the special characters.
func TestJoin_RandomArgs_SplitUnchanged(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("\\\\\\\"\" \ta&|%^ü\n\v\u00A0")
	random := func(letters []rune) string {
		word := make([]rune, rng.IntN(8))
		for i := range word {
			word[i] = letters[rng.IntN(len(letters))]
		}
		return string(word)
	}
	for range *commandLines {
		args := []string{"app" + random([]rune("\\ \ta.ü"))}
		for range rng.IntN(4) {
			args = append(args, random(alphabet))
		}
		roundTrip(t, args)
	}
	t.Logf("%d command lines", *commandLines)
}

// FuzzJoin: arguments that a command line can have come back unchanged.
func FuzzJoin(f *testing.F) {
	f.Add("a.exe\x00\x00b c\\\x00\"q\"")
	f.Add("C:\\x y\\\x00\\\\\"\x00\\")
	f.Add("\x00\n\x00\"\"\"\x00\t")
	f.Fuzz(func(t *testing.T, joined string) {
		if args := strings.Split(joined, "\x00"); !strings.Contains(args[0], `"`) {
			roundTrip(t, args)
		}
	})
}
