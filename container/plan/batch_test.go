package plan

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
)

const (
	cmdExe    = `C:\Windows\System32\cmd.exe`
	batchFile = `C:\tools dir\app.cmd`
)

func TestProgram_BatchFile_IsRunByTheSystemsShell(t *testing.T) {
	m := machine(batchFile, cmdExe, `C:\work\run.bat`, `D:\cmd.exe`)
	base := []string{`PATH=D:\;C:\tools dir`, `ComSpec=D:\evil.exe`}
	for program, want := range map[string]string{
		`C:\tools dir\app.cmd`: `"C:\tools dir\app.cmd" install "two words"`,
		`app.CMD`:              `"C:\tools dir\app.CMD" install "two words"`,
		`app.cmd. `:            `"C:\tools dir\app.cmd" install "two words"`,
		`.\run.bat`:            `"C:\work\run.bat" install "two words"`,
	} {
		got, err := m.Program([]string{program, "install", "two words"}, `C:\work`, []string{"A=1"}, base)
		if err != nil {
			t.Errorf("%q: %v", program, err)
			continue
		}
		line := `"` + cmdExe + `" /d /s /e:on /v:off /c "` + want + `"`
		if p := got.Process; p.Program != cmdExe || p.CommandLine != line || p.Dir != `C:\work` || !cmp.Equal(p.Env, []string{"A=1"}) {
			t.Errorf("%q: program %s, line\n%s, want\n%s", program, p.Program, p.CommandLine, line)
		}
	}
	if _, err := m.Program([]string{"other.cmd"}, `C:\work`, nil, base); !errdefs.IsNotFound(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := m.Program([]string{"app"}, `C:\work`, nil, base); !errdefs.IsNotFound(err) {
		t.Errorf("without the extension: %v, want not found", err)
	}
}

// The arguments of the proofs of CVE-2024-24576, and others.
func TestBatchLine_Arguments_AreQuotedOrRefused(t *testing.T) {
	for arg, want := range map[string]string{
		``: `""`, `install`: `install`, `--x=1`: `"--x=1"`, `a b`: `"a b"`, `&calc.exe`: `"&calc.exe"`, `a&b|c<d>e^f`: `"a&b|c<d>e^f"`, `!x!`: `"!x!"`,
		`(a)`: `"(a)"`, `a,b;c`: `"a,b;c"`, `C:\dir\`: `"C:\dir\\"`, `C:\my dir\`: `"C:\my dir\\"`, `C:\dir`: `C:\dir`, `/?`: `/?`, "a\tb": "\"a\tb\"",
		"\u00A0": "\"\u00A0\"", "Grüße": "Grüße", "日本": "日本", "~": `"~"`, "'": `"'"`, "`": "\"`\"",
	} {
		got, err := batchLine(cmdExe, batchFile, []string{arg})
		if line := `"` + cmdExe + `" /d /s /e:on /v:off /c ""` + batchFile + `" ` + want + `"`; err != nil || got != line {
			t.Errorf("%q: %s, %v; want %s", arg, got, err, line)
		}
	}
	for _, arg := range []string{`"`, `a" & calc.exe`, `"&calc.exe`, `%PATH%`, `%`, `100%`, "a\r", "a\nb", "\x00", "\x1A", "\x7F"} {
		if got, err := batchLine(cmdExe, batchFile, []string{"x", arg}); !errdefs.IsInvalidArgument(err) || !strings.HasPrefix(err.Error(), "process.args[2]: cmd.exe") {
			t.Errorf("%q: %s, %v; want a refusal that names the argument", arg, got, err)
		}
	}
	if _, err := batchLine(cmdExe, `C:\100%\x.cmd`, nil); !errdefs.IsInvalidArgument(err) {
		t.Errorf("a variable in the path: %v", err)
	}
	if _, err := batchLine(cmdExe, batchFile, []string{strings.Repeat("x", maxBatchLine)}); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "8191") {
		t.Errorf("a long line: %v", err)
	}
}

// readBatchLine reads what is between the outer marks as cmd.exe does: outside of quotation marks a special character is
// an error, and a blank ends a word.
func readBatchLine(t *testing.T, line string) (words []string) {
	t.Helper()
	_, inner, _ := strings.Cut(line, ` /c "`)
	inner = strings.TrimSuffix(inner, `"`)
	word, quoted, begun := "", false, false
	for _, r := range inner {
		switch {
		case strings.ContainsRune("%\r\n\x00\x1A", r):
			t.Errorf("%q has %q, which is special everywhere", inner, r)
		case r == '"':
			quoted, begun = !quoted, true
		case !quoted && r == ' ':
			words, word, begun = append(words, word), "", false
		case !quoted && strings.ContainsRune("&|<>^()!,;=\t\v\f'`~[]{}", r):
			t.Errorf("%q has %q outside of quotation marks", inner, r)
		default:
			word, begun = word+string(r), true
		}
	}
	if quoted {
		t.Errorf("%q has an open quotation mark", inner)
	}
	if begun {
		words = append(words, word)
	}
	return words
}

func FuzzBatchLine(f *testing.F) {
	for _, seed := range []string{`a&b`, `C:\x y\`, `!a!`, `^"&calc`, "ü\u00A0", "", `\\`} {
		f.Add(seed, "x")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		line, err := batchLine(cmdExe, batchFile, []string{one, two})
		if err != nil || !strings.Contains(line, ` /c "`) {
			return
		}
		want := []string{batchFile}
		for _, arg := range []string{one, two} {
			if quotedForBatch(arg) {
				arg += strings.Repeat(`\`, len(arg)-len(strings.TrimRight(arg, `\`)))
			}
			want = append(want, arg)
		}
		if got := readBatchLine(t, line); utf8.ValidString(one) && utf8.ValidString(two) && !cmp.Equal(got, want) {
			t.Errorf("%q is read as %q, want %q", line, got, want)
		}
	})
}
