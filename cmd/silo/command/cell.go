package command

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// printable replaces control and format characters by question marks, as ls does: a name of a container or of a program
// could otherwise control the terminal that shows it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return '?'
		}
		return r
	}, text)
}

// longID is an id as containerd's clients make them, at the end of a name.
var longID = regexp.MustCompile(`(^|/)([0-9a-f]{12})[0-9a-f]{20,}$`)

// shortID shortens a long id to 12 digits, as docker does. Verbs take it for the whole id.
func shortID(name string) string { return longID.ReplaceAllString(name, "$1$2") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
