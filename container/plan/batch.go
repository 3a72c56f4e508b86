package plan

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// maxBatchLine is the longest command line that cmd.exe reads.
//
// https://learn.microsoft.com/troubleshoot/windows-client/shell-experience/command-line-string-limitation
const maxBatchLine = 8191

// isBatch reports whether Windows runs a file of this name with cmd.exe.
func isBatch(program string) bool {
	e := extension(backslashes(program))
	return e == ".bat" || e == ".cmd"
}

// batch is the process of a batch file: cmd.exe, and a command line that cmd.exe cannot take for anything but the file and
// its arguments. See docs/adr/0010-batch-files.md.
func (j *HostProcess) batch(args []string, dir string, env, base []string) (*specs.Process, error) {
	const field = "process.args[0]"
	path := searchPath{windows: j.host.Root, dir: dir, path: lookupEnv(MergeEnv(base, env), "PATH"), isFile: j.host.Lookup}
	script, err := path.first(field, args[0], strings.TrimRight(backslashes(args[0]), ". "))
	if err != nil {
		return nil, err
	}
	line, err := batchLine(join(j.host.Root, `System32\cmd.exe`), script, args[1:])
	if err != nil {
		return nil, err
	}
	return &specs.Process{CommandLine: line, Cwd: dir, Env: env}, nil
}

// batchLine quotes for cmd.exe, which parses the line before the batch file gets it: without AutoRun commands (/d), with
// the outer marks removed (/s), and without delayed expansion (/v:off), so that in quotation marks only % is special.
//
// https://learn.microsoft.com/windows-server/administration/windows-commands/cmd
func batchLine(shell, script string, args []string) (string, error) {
	var b strings.Builder
	b.WriteString(`"` + shell + `" /d /s /e:on /v:off /c "`)
	if err := checkBatchText(script); err != nil {
		return "", fmt.Errorf("process.args[0]: program %q: %w", script, err)
	}
	b.WriteString(`"` + script + `"`)
	for i, arg := range args {
		if err := checkBatchText(arg); err != nil {
			return "", fmt.Errorf("process.args[%d]: %w", i+1, err)
		}
		b.WriteByte(' ')
		if !quotedForBatch(arg) {
			b.WriteString(arg)
			continue
		}
		// A mark at the end must not be taken for one behind a backslash by what the batch file starts.
		slashes := len(arg) - len(strings.TrimRight(arg, `\`))
		b.WriteString(`"` + arg + strings.Repeat(`\`, slashes) + `"`)
	}
	b.WriteByte('"')
	if n := utf16Len(b.String()); n > maxBatchLine {
		return "", fmt.Errorf("process.args: %d characters: cmd.exe reads %d; shorten them: %w", n, maxBatchLine, errdefs.ErrInvalidArgument)
	}
	return b.String(), nil
}

// checkBatchText refuses what no quoting protects: variables are expanded inside quotation marks too, a mark in an argument
// ends the quoting, and a line break ends the line.
func checkBatchText(text string) error {
	for _, r := range text {
		if r == '%' || r == '"' || r != '\t' && r < ' ' || r == 0x7F {
			return fmt.Errorf("cmd.exe, which runs batch files, cannot be given the character %q safely; start the program that the file starts: %w",
				r, errdefs.ErrInvalidArgument)
		}
	}
	return nil
}

// quotedForBatch reports whether an argument has a character that is not known to be harmless without quotation marks.
func quotedForBatch(arg string) bool {
	if arg == "" || strings.HasSuffix(arg, `\`) {
		return true
	}
	return strings.ContainsFunc(arg, func(r rune) bool {
		word := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return r <= 0xBF && !word && !strings.ContainsRune(`#$*+-./:?@\_`, r)
	})
}
