package conformance

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

// caseList names the cases in lines of four kinds:
//
//	reason REASON TEXT   why cases are skipped
//	focus TEXT           the cases whose names begin with TEXT
//	skip REASON TEXT     those of the focus above with TEXT in their names are skipped; above all focuses: those of all
//	serial TEXT          those of the focus above with TEXT in their names run one at a time: their programs listen on the same
//	                     ports of the node
//
// The first line that fits decides.
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
	serial []string
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

// serial is true if the case must run alone among those with its ports.
func (s *spec) serial() bool {
	return slices.ContainsFunc(s.area.serial, func(text string) bool { return strings.Contains(s.name, text) })
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
	last := len(l.areas) - 1
	switch {
	case verb == "focus" && rest != "":
		l.areas = append(l.areas, &area{focus: rest})
		return nil
	case verb == "serial" && rest != "" && last >= 0:
		l.areas[last].serial = append(l.areas[last].serial, rest)
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
		if last >= 0 {
			skips = &l.areas[last].skips
		}
		*skips = append(*skips, &skip{text: text, reason: word})
	default:
		return fmt.Errorf("%q is none of focus, serial, skip and reason", verb)
	}
	return nil
}

// choose returns the cases that belong to a focus, from the list of tests that the end-to-end tests print. Each focus and
// each skip must have a case. The order is that of the list.
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
	slices.SortStableFunc(specs, func(a, b *spec) int { return slices.Index(l.areas, a.area) - slices.Index(l.areas, b.area) })
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
