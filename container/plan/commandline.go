package plan

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/internal/commandline"
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
	line = commandline.Join(args)
	return line, args[0], "process.args[0]", checkText("process.args", line)
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
