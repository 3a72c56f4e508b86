package plan

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// maxText is the longest command line or environment variable, in UTF-16 code units including the NUL at its end.
const maxText = 32767

// commandLine returns the command line of a process, its program, and the field that names the program. A command line of
// the specification is not changed; arguments are quoted. Both are substituted first.
func commandLine(p *specs.Process, substitute func(string) string) (line, program, field string, err error) {
	if p.CommandLine != "" {
		line = substitute(p.CommandLine)
		return line, firstToken(line), "process.commandLine", checkText("process.commandLine", line)
	}
	if len(p.Args) == 0 {
		return "", "", "", errNoArgs
	}
	if err := checkArgs(p.Args); err != nil {
		return "", "", "", err
	}
	args := make([]string, len(p.Args))
	for i, arg := range p.Args {
		args[i] = substitute(arg)
	}
	line = quote(args)
	return line, args[0], "process.args[0]", checkText("process.args", line)
}

// quote joins arguments so that CommandLineToArgvW and the C runtime split them again unchanged. In the first one, the
// program, a backslash has no special meaning and a quotation mark is impossible.
//
// https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
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

// quoteArg writes one argument after the first. Only backslashes before a quotation mark are special; they are doubled,
// also before the closing mark.
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

// firstToken is the program of a command line: up to the closing quotation mark, or up to a blank. A path with blanks
// must be quoted: guessing where it ends could start C:\Program.exe.
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

// checkArgs refuses arguments that a command line cannot contain.
func checkArgs(args []string) error {
	for i, arg := range args {
		if strings.ContainsRune(arg, 0) {
			return fmt.Errorf("process.args[%d] contains NUL: %w", i, errdefs.ErrInvalidArgument)
		}
	}
	if len(args) > 0 && strings.ContainsRune(args[0], '"') {
		return fmt.Errorf("process.args[0] contains a quotation mark; give the program's path as it is: %w", errdefs.ErrInvalidArgument)
	}
	return nil
}

// checkText refuses text that is not a valid Windows string.
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
