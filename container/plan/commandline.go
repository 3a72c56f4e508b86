package plan

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/containerd/errdefs"
)

// maxText is what Windows takes as a command line or as one variable, in UTF-16 units with the NUL at its end.
const maxText = 32767

// quote joins arguments so that CommandLineToArgvW, and the C runtime, take them apart again unchanged. The
// first one is the program: there a backslash is a backslash, and a quotation mark cannot be.
// https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments
func quote(args []string) string {
	var b strings.Builder
	for i, arg := range args {
		switch {
		case i == 0 && (arg == "" || strings.ContainsAny(arg, " \t")):
			b.WriteString(`"` + arg + `"`)
		case i == 0:
			b.WriteString(arg)
		default:
			b.WriteByte(' ')
			quoteArg(&b, arg)
		}
	}
	return b.String()
}

// quoteArg writes one argument after the first. Backslashes count only before a quotation mark, and there they
// are doubled, as they are before the closing one.
func quoteArg(b *strings.Builder, arg string) {
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

// firstToken is the program of a command line: up to the closing quotation mark, or up to a blank. A path with
// blanks must stand in quotation marks; to guess its end would start whatever C:\Program.exe is.
func firstToken(line string) string {
	line = strings.TrimLeft(line, " \t")
	if rest, quoted := strings.CutPrefix(line, `"`); quoted {
		token, _, _ := strings.Cut(rest, `"`)
		return token
	}
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i]
	}
	return line
}

// checkArgs refuses what cannot be part of a command line.
func checkArgs(args []string) error {
	for i, arg := range args {
		if strings.ContainsRune(arg, 0) {
			return fmt.Errorf("process.args[%d] contains NUL: %w", i, errdefs.ErrInvalidArgument)
		}
	}
	if len(args) > 0 && strings.ContainsRune(args[0], '"') {
		return fmt.Errorf("process.args[0] contains a quotation mark: give the program's path as it is: %w", errdefs.ErrInvalidArgument)
	}
	return nil
}

// checkText refuses what Windows cannot take as one string.
func checkText(field, text string) error {
	if strings.ContainsRune(text, 0) {
		return fmt.Errorf("%s contains NUL: %w", field, errdefs.ErrInvalidArgument)
	}
	if n := utf16Len(text) + 1; n > maxText {
		return fmt.Errorf("%s is %d characters long: Windows takes %d: %w", field, n-1, maxText-1, errdefs.ErrInvalidArgument)
	}
	return nil
}

func utf16Len(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
