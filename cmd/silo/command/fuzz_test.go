package command

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/sparse"
)

// FuzzFormat: a template of --format is refused, or prints a row or an error that names the flag.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{
		"{{.Name}}", "json", `table {{.Name}}\t{{.LegCount}}`, `{{upper .Name}}{{"\t"}}`, "{{json .}} {{truncate .Name -3}}", "{{if gt .LegCount 9}}x{{end}}", "table ", "{{.None}}",
		`{{join (split .Name "") "-"}}`, "{{slice .Name 9}}", "{{printf \"%d\" .Name}}", "{{template \"template\" .}}", "{{index .Name 9}}", "{{call .Name}}",
		`{{range split .Name ""}}<{{.}}>{{end}}`, "{{range $i, $x := 3}}{{$i}}{{else}}none{{end}}", "{{range .LegCount}}{{break}}{{end}}", "{{range 300}}{{range 300}}x{{end}}{{end}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, format string) {
		if rounds(format) > 100_000 {
			return // it prints as long as it is asked to
		}
		printer, err := newFormatter(format, animalFields)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "--format") {
				t.Errorf("%q: %v", format, err)
			}
			return
		}
		var out strings.Builder
		if err := printer.print(&out, []animal{{"cat", 4}, {"", -1}}); err != nil && !strings.HasPrefix(err.Error(), "--format: ") {
			t.Errorf("%q: %v", format, err)
		}
		if out.Len() > 64<<20 {
			t.Errorf("%q prints %d bytes", format, out.Len())
		}
	})
}

var (
	loops     = regexp.MustCompile(`\brange\b`)
	templates = regexp.MustCompile(`\b(template|block)\b`)
	constants = regexp.MustCompile(`[\w.']+`)
)

// rounds bounds how often the loops of a template run: a loop is over a constant, or over something with the length of the
// template or of a name at most. Templates that are called make the number unknown, unless there is no loop.
func rounds(format string) float64 {
	depth := len(loops.FindAllString(format, -1))
	switch {
	case depth == 0:
		return 0
	case templates.MatchString(format):
		return math.Inf(1)
	}
	most := float64(len(format) + 1)
	for _, text := range constants.FindAllString(format, -1) {
		if n, err := strconv.ParseInt(text, 0, 64); err == nil {
			most = max(most, float64(n))
		} else if x, err := strconv.ParseFloat(text, 64); err == nil {
			most = max(most, x)
		} else if strings.Contains(text, "'") {
			most = math.Inf(1) // a character is a number, too
		}
	}
	return math.Pow(most, float64(depth))
}

func TestRounds_Loops_AreCounted(t *testing.T) {
	for format, want := range map[string]float64{
		"{{.Name}} 900": 0, "{{range 300}}x{{end}}": 300, "{{range 0x10}}{{range 1e3}}{{end}}{{end}}": 1e6,
		"{{range 'a'}}{{end}}": math.Inf(1), `{{range 2}}{{template "x"}}{{end}}`: math.Inf(1),
	} {
		if got := rounds(format); got != want {
			t.Errorf("%s: %v, want %v", format, got, want)
		}
	}
}

// FuzzTime: a time of silo logs and a duration of a flag are refused, or can be used.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{"", "10m", "1m30s", "90", "2026-03-01T10:00:00Z", "2026-03-01", "2026-03-01Z", "1700000000.5", "-5", "1.0000000000", "-9223372036854775808ns", "9223372036854775807"} {
		f.Add(seed)
	}
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := parseTime(text, now); err != nil && !at.IsZero() {
			t.Errorf("%q is %v, %v", text, at, err)
		}
		var d, again duration
		if d.Set(text) != nil {
			return
		}
		if d < 0 || again.Set(d.String()) != nil || again != d {
			t.Errorf("%q is %v, and that is %v", text, d.String(), again.String())
		}
	})
}

// FuzzEnvironmentFile: a file of --env-file is refused without a value in the error, or gives entries with names.
func FuzzEnvironmentFile(f *testing.F) {
	for _, seed := range []string{"A=1\n# x\n\nB\n", "\uFEFFA=1\r\n\uFEFFB=2", "\xFF\xFEA\x00=\x001\x00", "=x", "A=\x00", " \t C = d "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := (&environmentFlags{files: []string{path}}).entries([]string{"B=outer", "=C:=C:\\"})
		if err != nil && !strings.HasPrefix(err.Error(), "--env-file") {
			t.Errorf("%q: %v", text, err)
		}
		for _, entry := range list {
			name, _, set := strings.Cut(entry, "=")
			if !set || strings.TrimSpace(name) == "" || strings.ContainsAny(entry, "\x00\n") {
				t.Errorf("%q gives %q", text, entry)
			}
		}
	})
}

// FuzzSpecification: a specification for silo explain is refused, or is one that can be written.
func FuzzSpecification(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no specifications: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := readSpec(text)
		if (s == nil) == (err == nil) {
			t.Fatalf("%+v, %v", s, err)
		}
		if err != nil {
			return
		}
		if _, err := json.Marshal(s); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	})
}

// FuzzStop: a request to stop a container has known signals and a time, or an error.
func FuzzStop(f *testing.F) {
	for _, seed := range []string{`{"signals":[0,6],"grace_ns":1000000000}`, `{"signals":null}`, `{"grace_ns":-1}`, `{"signals":[77]}`, `{"signals":[]}`, "", "null"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "stop.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s := readStop(path)
		if s.Err != nil && (s.Signals != nil || s.Grace != nil) {
			t.Errorf("%s: %+v", text, s)
		}
		if s.Grace != nil && *s.Grace < 0 {
			t.Errorf("%s: the program has %v", text, *s.Grace)
		}
		for _, signal := range s.Signals {
			if !strings.HasPrefix(signal.String(), "ctrl-") {
				t.Errorf("%s: signal %v", text, signal)
			}
		}
	})
}

func TestReadStop_HugeFile_IsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stop.json")
	sparse.File(t, path)
	sparse.Refused(t, path, readStop(path).Err)
}
