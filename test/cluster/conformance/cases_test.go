package conformance

import (
	"strings"
	"testing"
)

// tests is what the end-to-end tests list.
const tests = `The following spec names can be used with 'ginkgo run --focus/skip':
    ..\common\node\pods.go:12: [sig-node] Pods should run: once
    ..\common\node\pods.go:34: [sig-node] Pods should run twice
    ..\network\dns.go:5: [sig-network] DNS should resolve
`

func TestParse_CommittedList_HasAReasonForEachSkip(t *testing.T) {
	l, err := parse(caseList)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range l.allSkips() {
		used[s.reason] = true
	}
	for word := range l.reasons {
		if !used[word] {
			t.Errorf("no case is skipped for reason %s", word)
		}
	}
}

func TestParse_WrongLine_NamesIt(t *testing.T) {
	for text, want := range map[string]string{
		"focus":                        "want focus",
		"# x\nskip a text":             "line 2: reason a",
		"reason a":                     "want focus",
		"reason a why\nrun a the test": "none of",
		"focus [sig-node]\nskip a":     "want focus",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestListChoose_FocusAndSkip_SelectByName(t *testing.T) {
	l, err := parse("reason why the reason\nskip why once\nfocus [sig-node] Pods\nskip why twice\n")
	if err != nil {
		t.Fatal(err)
	}
	specs, err := l.choose(strings.NewReader(tests))
	if err != nil {
		t.Fatal(err)
	}
	if len(specs) != 2 || specs[0].name != "[sig-node] Pods should run: once" || specs[0].skip != l.skips[0] || specs[1].skip != l.areas[0].skips[0] {
		t.Errorf("cases %+v", specs)
	}
}

// A list that names what the tests do not have is out of date.
func TestListChoose_NoSuchCase_IsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"focus [sig-apps]": "[sig-apps]",
		"reason a why\nfocus [sig-node]\nskip a three times":       "three times",
		"reason a why\nfocus [sig-node]\nskip a twi\nskip a twice": "twice",
	} {
		l, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.choose(strings.NewReader(tests)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}
