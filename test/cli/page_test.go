package cli

import (
	"regexp"
	"slices"
	"strings"
)

// example is a command of a page and what it prints, as in a terminal. The command stands in an indented block after
// "> ". A line "..." of the output is any number of lines. At a line "^C" the command has printed what is above, and is
// interrupted. The comment <!-- not run: REASON --> before a block excludes the examples of the block.
type example struct {
	line    int // of the command, from 0
	end     int // the line after the output
	command string
	output  []string
	notRun  string
}

var notRun = regexp.MustCompile(`^<!-- not run: (.+) -->$`)

const indent = "    "

// examples reads those of a page.
func examples(page []string) (list []example) {
	var current *example
	reason, block := "", false
	for i, line := range page {
		text, indented := strings.CutPrefix(line, indent)
		switch {
		case !indented && line != "":
			block, current, reason = false, nil, ""
			if m := notRun.FindStringSubmatch(line); m != nil {
				reason = m[1]
			}
		case !indented: // an empty line may be within the output of a block
		case strings.HasPrefix(text, "> "):
			list = append(list, example{line: i, end: i + 1, command: text[2:], notRun: reason})
			current, block = &list[len(list)-1], true
		case !block:
		case current.end == current.line+1 && strings.HasSuffix(current.command, `\`):
			current.command = strings.TrimSuffix(current.command, `\`) + strings.TrimSpace(text)
			current.line, current.end = i, i+1
		default:
			for current.end < i {
				current.output, current.end = append(current.output, ""), current.end+1
			}
			current.output, current.end = append(current.output, text), i+1
		}
	}
	return list
}

// words splits a command line at blanks outside double quotes.
func words(line string) (list []string) {
	for _, word := range regexp.MustCompile(`(?:[^ "]|"[^"]*")+`).FindAllString(line, -1) {
		list = append(list, strings.ReplaceAll(word, `"`, ""))
	}
	return list
}

// matches reports whether lines are the wanted ones, where "..." stands for any number of them.
func matches(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "...":
		return matches(want[1:], got) || len(got) > 0 && matches(want, got[1:])
	}
	return len(got) > 0 && want[0] == got[0] && matches(want[1:], got[1:])
}

// shorten leaves out of an output what its page leaves out. It returns all of it if a line of the page has no successor.
func shorten(page, got []string) (short []string) {
	subject := func(line string) string {
		return regexp.MustCompile(`^ *\S*`).FindString(line)
	}
	rest := got
	for _, line := range page {
		if line == "..." {
			short = append(short, line)
			continue
		}
		at := slices.IndexFunc(rest, func(other string) bool { return subject(other) == subject(line) })
		if at < 0 {
			return got
		}
		short, rest = append(short, rest[at]), rest[at+1:]
	}
	if !same(short, got) {
		return got
	}
	return short
}
