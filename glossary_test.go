package siloshim

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// replaced are the words and phrases that docs/glossary.md has better terms for, as regular expressions. They match
// whole words, without case. An identifier is split into its words first, so "lastWords" is "last words".
var replaced = []string{
	`beds?`, `births?`, `born`, `condemn(s|ed)?`, `crowd(s|ed)?`, `deserted`, `enroll(s|ed)?`, `figures?`, `goodbye`, `ledger`,
	`muster(s|ed)?`, `nobody`, `patience`, `population`, `somebody`, `somewhere`, `stand-in`, `standin`, `stories`, `story`,
	`strangers?`, `unfound`, `whoever`,
	`as long as one can`, `give(s|n)? back`, `gave back`, `giving back`, `in this house`, `in vain`, `last words`, `let(s|ting)? go`,
	`of (its|his|their|our) own`, `without appeal`,
}

// exempt are files about the words themselves, histories, and lists of test names, which are checked where they are declared.
var exempt = []string{"glossary_test.go", "docs/glossary.md", "CHANGELOG.md", "docs/containerd.md"}

var (
	camel  = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])|_`)
	breaks = regexp.MustCompile(`\s*\n\s*(//|\*)?\s*`)
	spans  = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`|\n {4,}[^\n]*")
	links  = regexp.MustCompile(`\]\([^)]*\)`)
	words  = regexp.MustCompile(`(?i)\b(` + strings.Join(replaced, "|") + `)\b`)
	// interfaces are names that users of the tests have in their scripts: a directory, a make target and variables.
	interfaces = regexp.MustCompile(`\.bed\b|\bmake bed\b|\bBED_(REQUIRED|CONTAINERD)\b`)
)

// replacedIn finds the replaced words of a text, each once. In a document, code and addresses are not its language.
func replacedIn(name, text string) []string {
	if strings.HasSuffix(name, ".md") {
		text = links.ReplaceAllString(spans.ReplaceAllString(text, " "), "]")
	}
	text = interfaces.ReplaceAllString(text, " ")
	text = camel.ReplaceAllString(breaks.ReplaceAllString(text, " "), "$1$3 $2$4")
	found := map[string]bool{}
	for _, word := range words.FindAllString(text, -1) {
		found[strings.ToLower(word)] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestReplacedIn_Words_AreFoundAsWholeWords(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"a.go", "// The stranger waits in\n// vain.\nfunc lastWords(theBed int) {}", []string{"bed", "in vain", "last words", "stranger"}},
		{"a.go", "type HTTPBed struct{}\nvar stand_in = \"EnrolledPod\"", []string{"bed", "enrolled"}},
		{"a.go", "embedded, reborn, configured, populations and strangely: no word of the list", nil},
		{"a.md", "in `bed.Require`, [here](bed/README.md)\n\n    silo bed\n", nil},
		{"a.md", "Nobody is here.", []string{"nobody"}},
		{"a.go", "run make bed; see .bed/run; BED_REQUIRED", nil},
		{"a.go", "BED_GROUP, a .bedding", []string{"bed"}},
	} {
		if got := replacedIn(test.name, test.text); !slices.Equal(got, test.want) {
			t.Errorf("%s %q: %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

func TestGlossary_ReplacedWords_AreNowhere(t *testing.T) {
	for name, text := range texts(t) {
		for _, word := range replacedIn(name, text) {
			t.Errorf("%s: docs/glossary.md has a better word for %q", name, word)
		}
	}
}

// texts are the Go files and documents of this repository, by their paths with slashes.
func texts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		name := filepath.ToSlash(path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin"):
			return filepath.SkipDir
		case d.IsDir(), !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".md"), slices.Contains(exempt, name):
			return nil
		}
		text, err := os.ReadFile(path)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
