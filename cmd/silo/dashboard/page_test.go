package dashboard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/siloshim/siloshim/stats"
)

const evil = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>\x1b[31m\u202e\x00"

// hostileFake has a container whose every text is hostile.
func hostileFake() *fakeSource {
	s := newFake(1, 1)
	c := &s.containers[0]
	c.Namespace, c.ID, c.Kind, c.Pod, c.Program, c.Status = evil, evil, evil, evil, `C:\a\`+evil, evil
	c.PodUID, c.PodContainer = evil, evil
	c.Processes[0].Image = evil
	c.Restarts, c.LastExit = 1, &Exit{Code: 1, Reason: evil, Meaning: evil}
	s.details = Details{
		Limits: []Limit{{evil, evil}}, LimitsErr: nil, Warnings: []string{evil}, LogPath: evil, Log: []byte("line\n" + evil + "\xff\r\n"),
	}
	return s
}

// quietFake has the same container with harmless texts.
func quietFake() *fakeSource {
	s := newFake(1, 1)
	c := &s.containers[0]
	c.Pod, c.PodUID, c.PodContainer, c.Program, c.Status, c.Restarts, c.LastExit = "p", "p", "p", "p", "p", 1, &Exit{Code: 1}
	s.details = Details{Limits: []Limit{{"a", "b"}}, Warnings: []string{"w"}, LogPath: "p", Log: []byte("line\nline\n")}
	return s
}

// elements lists the names of the elements of a page, and checks that no attribute holds a script or a style.
func elements(t *testing.T, page []byte) map[string]int {
	t.Helper()
	count := map[string]int{}
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) {
				t.Fatal(z.Err())
			}
			return count
		}
		token := z.Token()
		if kind == html.TextToken {
			checkText(t, token.Data)
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		count[token.Data]++
		for _, a := range token.Attr {
			checkText(t, a.Val)
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" && a.Val != "/assets/dashboard.js" {
				t.Errorf("<%s %s=%q>", token.Data, a.Key, a.Val)
			}
			if (a.Key == "href" || a.Key == "src") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s %s=%q> leads to another machine", token.Data, a.Key, a.Val)
			}
		}
	}
}

func checkText(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\u2003' && !unicode.IsPrint(r) {
			t.Errorf("%U is in the text %q", r, text)
		}
	}
}

func TestPage_HostileTexts_AreTextAndNotMarkup(t *testing.T) {
	for _, failure := range []error{nil, errors.New(evil)} {
		var pages [2][2]map[string]int // of the quiet and the hostile machine
		for i, s := range []*fakeSource{quietFake(), hostileFake()} {
			d := looked(t, s, 3)
			c := &s.containers[0]
			c.Processes = append(c.Processes, stats.Process{Pid: 5, Image: c.Processes[0].Image, Known: stats.KnownImage})
			c.Restarts++
			s.err = failure
			if failure != nil && i == 0 {
				s.err = errors.New("quiet")
			}
			d.Sample(t.Context())
			for j, v := range []*view{must(t)(d.machine("")), must(t)(d.container(t.Context(), c.Namespace, c.ID))} {
				p := pageWriter{}
				pages[i][j] = elements(t, []byte(p.render("page", v)))
				if p.err != nil {
					t.Fatal(p.err)
				}
			}
		}
		for j := range pages[0] {
			if quiet, hostile := fmt.Sprint(pages[0][j]), fmt.Sprint(pages[1][j]); quiet != hostile {
				t.Errorf("page %d of the hostile machine has other elements:\n%s\n%s", j, hostile, quiet)
			}
		}
	}
}

func TestPage_NoContainers_SaysWhatToDo(t *testing.T) {
	d := looked(t, newFake(0, 0), 1)
	v := must(t)(d.machine(""))
	if !strings.Contains(string(v.Parts["empty"]), "silo run") || len(v.Rows) != 0 {
		t.Errorf("%s", v.Parts["empty"])
	}
}

func TestPage_MachineRefuses_SaysWhyAndKeepsTheValues(t *testing.T) {
	s := newFake(2, 1)
	d := looked(t, s, 3)
	s.err, s.containers = errRefused, nil
	d.Sample(t.Context())
	v := must(t)(d.machine(""))
	for _, want := range []string{errRefused.Error(), "from 03:04:09", "administrator", `role="alert"`} {
		if !strings.Contains(string(v.Parts["state"]), want) {
			t.Errorf("no %q in %s", want, v.Parts["state"])
		}
	}
	if len(v.Rows) != 2 || strings.Contains(string(v.Parts["empty"]), "No containers") {
		t.Errorf("%d rows; %s", len(v.Rows), v.Parts["empty"])
	}
	s.err = nil
	s.containers = newFake(2, 1).containers
	d.Sample(t.Context())
	if v := must(t)(d.machine("")); strings.Contains(string(v.Parts["state"]), "alert") {
		t.Errorf("the failure stays: %s", v.Parts["state"])
	}
}

func TestPage_Orders_SortTheRunningBeforeTheOthers(t *testing.T) {
	s := newFake(4, 1)
	for i := range s.containers {
		s.containers[i].Sample.Memory.Commit = uint64(i+1) << 20
	}
	s.containers[3].Exit = &Exit{}
	d := looked(t, s, 2)
	for order, want := range map[string]string{"": "c00 c01 c02 c03", "commit": "c02 c01 c00 c03", "unknown": "c00 c01 c02 c03"} {
		var got []string
		for _, r := range must(t)(d.machine(order)).Rows {
			for _, h := range d.order {
				if h.row == r.ID {
					got = append(got, h.ID)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("order %q: %v, want %s", order, got, want)
		}
	}
}

func TestPage_100Containers_Weight(t *testing.T) {
	d := looked(t, newFake(100, 10), pointsKept+1)
	p := pageWriter{}
	page := p.render("page", must(t)(d.machine("")))
	const bound = 320 << 10
	t.Logf("%d bytes", len(page))
	if len(page) > bound || p.err != nil {
		t.Errorf("%d bytes, want at most %d; %v", len(page), bound, p.err)
	}
}

func TestPrintable_ControlCharacters_AreVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain äß 日本": "plain äß 日本", "a\x00b": `a\x00b`, "\x1b[2J": `\x1b[2J`, "\u202ertl\u2028": `\u202ertl\u2028`, "\xff\x41": `\xffA`,
		"\u200b": `\u200b`, "tab\t": `tab\t`, "\U000e0041": `\U000e0041`, "it's \"quoted\"": "it's \"quoted\"",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	if got := printable(strings.Repeat("x", 1<<20)); len(got) > textMax+8 {
		t.Errorf("%d bytes are kept", len(got))
	}
}

func TestLogLines_EndOfALog_OnlyWholeLines(t *testing.T) {
	for _, test := range []struct {
		text string
		cut  bool
		want []string
	}{
		{"", false, nil},
		{"one\ntwo\r\nthr\tee", false, []string{"one", "two", "thr    ee"}},
		{"ne\ntwo\nthree\nfour\n", true, []string{"two", "three", "four"}},
		{"one\ntwo\nthree\nfour\n", false, []string{"two", "three", "four"}},
		{"cut", true, []string{"cut"}},
	} {
		if got := logLines([]byte(test.text), test.cut, 3); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}
