package main

import (
	"fmt"
	"strings"
	"unicode"
)

// window is the number of equal lines from which on a place repeats another.
const window = 6

// line is a line of code after the imports, with white space folded: no comment, and not only punctuation.
type line struct {
	file   *file
	number int
	text   string
}

// repeat is a place with the same lines of code as an earlier place. Lines of comments do not count.
type repeat struct{ first, last, of line }

func (r repeat) String() string {
	return fmt.Sprintf("%s:%d-%d repeats %s:%d", r.first.file.path, r.first.number, r.last.number, r.of.file.path, r.of.number)
}

// repeats finds the places that repeat earlier ones. A line is in one place only: the one with the longest match.
func repeats(files []file) (found []repeat) {
	var lines []line
	for i := range files {
		lines = append(lines, code(&files[i])...)
	}
	seen := map[string][]int{} // positions in lines, by the texts of the window that begins there
	next := 0                  // no place begins before
	for at := range lines {
		key, ok := windowAt(lines, at)
		if !ok {
			continue
		}
		if at >= next {
			longest, of := 0, 0
			for _, earlier := range seen[key] {
				if n := matching(lines, earlier, at); n > longest {
					longest, of = n, earlier
				}
			}
			if longest >= window {
				found = append(found, repeat{lines[at], lines[at+longest-1], lines[of]})
				next = at + longest
			}
		}
		seen[key] = append(seen[key], at)
	}
	return found
}

// windowAt joins the lines of the window at a position. It fails if that is not in one file.
func windowAt(lines []line, at int) (string, bool) {
	if at+window > len(lines) || lines[at].file != lines[at+window-1].file {
		return "", false
	}
	var texts []string
	for _, l := range lines[at : at+window] {
		texts = append(texts, l.text)
	}
	return strings.Join(texts, "\n"), true
}

// matching is the number of equal lines from two positions on. The two places end in their files and do not overlap.
func matching(lines []line, a, b int) (n int) {
	for b+n < len(lines) && a+n < b && lines[a+n].file == lines[a].file && lines[b+n].file == lines[b].file && lines[a+n].text == lines[b+n].text {
		n++
	}
	return n
}

// code has the lines of code of a file.
func code(f *file) (lines []line) {
	header, comment := true, false // before the first declaration; inside /* */
	number := 0
	for text := range strings.Lines(string(f.text)) {
		number++
		text = strings.Join(strings.Fields(text), " ")
		if header {
			header = !isDeclaration(text)
		}
		comment = comment || strings.HasPrefix(text, "/*")
		if !header && !comment && !strings.HasPrefix(text, "//") && strings.IndexFunc(text, unicode.IsLetter) >= 0 {
			lines = append(lines, line{f, number, text})
		}
		comment = comment && !strings.HasSuffix(text, "*/")
	}
	return lines
}

// isDeclaration reports whether a line begins the first declaration after the imports.
func isDeclaration(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	switch word {
	case "const", "var", "type", "func":
		return true
	}
	return false
}
