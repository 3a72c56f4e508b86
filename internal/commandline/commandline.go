// Package commandline joins arguments to a command line of Windows.
package commandline

import "strings"

// Join returns the command line that CommandLineToArgvW and the C runtime split into args. The first argument, the program,
// must not contain a quotation mark: it ends at the next one, or without one at the next blank or control character.
//
// https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
func Join(args []string) string {
	var b strings.Builder
	for i, arg := range args {
		switch {
		case i > 0:
			b.WriteByte(' ')
			writeArgument(&b, arg)
		case arg == "" || strings.ContainsFunc(arg, func(r rune) bool { return r <= ' ' }):
			b.WriteString(`"` + arg + `"`)
		default:
			b.WriteString(arg)
		}
	}
	return b.String()
}

// writeArgument writes one argument after the first. Only backslashes before a quotation mark are special; they are doubled,
// also before the closing mark.
func writeArgument(b *strings.Builder, arg string) {
	quoted := arg == "" || strings.ContainsAny(arg, " \t\n\v")
	if quoted {
		b.WriteByte('"')
	}
	slashes := 0
	for i := range len(arg) {
		switch arg[i] {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteByte(arg[i])
	}
	if quoted {
		b.WriteString(strings.Repeat(`\`, slashes) + `"`)
	}
}
