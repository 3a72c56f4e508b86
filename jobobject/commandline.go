package jobobject

import (
	"errors"
	"fmt"
	"strings"
)

// commandLineOf returns the command line that CommandLineToArgvW and the C runtime
// of Windows split into args. Errors give the index of an argument and never its
// text.
//
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
func commandLineOf(args []string) (string, error) {
	var b strings.Builder
	for i, arg := range args {
		if err := checkText(fmt.Sprintf("argument %d", i), arg); err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteByte(' ')
			writeArgument(&b, arg)
			continue
		}
		// The program's name has no escapes: it ends at the next quotation mark, or
		// without one at the next blank or control character.
		if strings.Contains(arg, `"`) {
			return "", errors.New("argument 0, the program, has a quotation mark")
		}
		if arg == "" || strings.ContainsFunc(arg, func(r rune) bool { return r <= ' ' }) {
			arg = `"` + arg + `"`
		}
		b.WriteString(arg)
	}
	return b.String(), nil
}

// writeArgument quotes arg as [syscall.EscapeArg] does, which only Windows has.
func writeArgument(b *strings.Builder, arg string) {
	quote := arg == "" || strings.ContainsAny(arg, " \t")
	if quote {
		b.WriteByte('"')
	}
	backslashes := 0
	for i := range len(arg) {
		switch c := arg[i]; c {
		case '\\':
			backslashes++
			b.WriteByte(c)
		case '"':
			// Before a quotation mark each backslash counts half.
			b.WriteString(strings.Repeat(`\`, backslashes+1))
			b.WriteByte(c)
			backslashes = 0
		default:
			b.WriteByte(c)
			backslashes = 0
		}
	}
	if quote {
		b.WriteString(strings.Repeat(`\`, backslashes))
		b.WriteByte('"')
	}
}
