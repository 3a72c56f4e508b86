package conformance

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

// caseList names the cases: lines of "focus TEXT", "serial TEXT", "skip REASON TEXT" and "reason REASON TEXT". A case belongs
// to the first focus with which its name begins. It is skipped if its name has the text of a skip below that focus, or of one
// above all of them. The cases of serial run one at a time, because their programs listen on the same ports of the node.
//
//go:embed cases.txt
var caseList string

// list is the content of cases.txt.
type list struct {
	reasons map[string]string // by the word that skips name
	skips   []*skip           // of all areas
	areas   []*area
}

// area is a focus.
type area struct {
	focus  string
	serial bool
	skips  []*skip
}

// skip excludes cases.
type skip struct {
	text, reason string
	used         bool // a case has the text
}

// spec is a case of the end-to-end tests.
type spec struct {
	name string
	area *area
	skip *skip // or nil
}

// parse reads a list.
func parse(text string) (*list, error) {
	l := &list{reasons: map[string]string{}}
	for number, lines := 1, bufio.NewScanner(strings.NewReader(text)); lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := l.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return l, nil
}

func (l *list) add(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	if (verb == "focus" || verb == "serial") && rest != "" {
		l.areas = append(l.areas, &area{focus: rest, serial: verb == "serial"})
		return nil
	}
	word, text, ok := strings.Cut(rest, " ")
	text = strings.TrimSpace(text)
	switch {
	case !ok || text == "":
		return fmt.Errorf("%q: want focus TEXT, serial TEXT, skip REASON TEXT or reason REASON TEXT", line)
	case verb == "reason":
		l.reasons[word] = text
	case verb == "skip" && l.reasons[word] == "":
		return fmt.Errorf("reason %s is not defined above", word)
	case verb == "skip":
		skips := &l.skips
		if n := len(l.areas); n > 0 {
			skips = &l.areas[n-1].skips
		}
		*skips = append(*skips, &skip{text: text, reason: word})
	default:
		return fmt.Errorf("%q is none of focus, serial, skip and reason", verb)
	}
	return nil
}

// choose returns the cases that belong to a focus, from the list of tests that the end-to-end tests print. Each focus and
// each skip must have a case.
func (l *list) choose(tests io.Reader) ([]*spec, error) {
	var specs []*spec
	seen := map[*area]bool{}
	for lines := bufio.NewScanner(tests); lines.Scan(); {
		// A line is the position in a source file, and the name.
		_, name, ok := strings.Cut(lines.Text(), ": ")
		if !ok {
			continue
		}
		for _, a := range l.areas {
			if strings.HasPrefix(name, a.focus) {
				seen[a] = true
				specs = append(specs, &spec{name, a, match(name, slices.Concat(l.skips, a.skips))})
				break
			}
		}
	}
	for _, a := range l.areas {
		if !seen[a] {
			return nil, fmt.Errorf("no case begins with %q", a.focus)
		}
	}
	for _, s := range l.allSkips() {
		if !s.used {
			return nil, fmt.Errorf("no case that is not skipped already has %q", s.text)
		}
	}
	return specs, nil
}

func (l *list) allSkips() []*skip {
	all := slices.Clone(l.skips)
	for _, a := range l.areas {
		all = append(all, a.skips...)
	}
	return all
}

func match(name string, skips []*skip) *skip {
	for _, s := range skips {
		if strings.Contains(name, s.text) {
			s.used = true
			return s
		}
	}
	return nil
}
