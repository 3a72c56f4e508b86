package jobtest

import "strings"

// SplitCommandLine splits a command line as the C runtime of Windows does: the
// program's name ends at the next quote or blank; in the other arguments a run
// of backslashes counts half before a quote, and two quotes in a quoted part
// stand for one.
//
// https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
func SplitCommandLine(line string) []string {
	if line == "" {
		return nil
	}
	program, rest := splitProgram(line)
	args := []string{program}
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return args
		}
		var arg string
		arg, rest = splitArgument(rest)
		args = append(args, arg)
	}
}

func splitProgram(line string) (program, rest string) {
	var b strings.Builder
	quoted := false
	for i := range len(line) {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t'):
			return b.String(), line[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

func splitArgument(s string) (arg, rest string) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			n := len(s[i:]) - len(strings.TrimLeft(s[i:], `\`))
			i += n - 1
			if i+1 >= len(s) || s[i+1] != '"' {
				b.WriteString(s[i-n+1 : i+1])
				continue
			}
			b.WriteString(strings.Repeat(`\`, n/2))
			if n%2 == 1 {
				b.WriteByte('"')
				i++
			}
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t'):
			return b.String(), s[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
