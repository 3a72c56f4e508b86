package command_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// sequences erase the screen, set its title, and turn the direction of text: with ESC, with the one character CSI, and
// with a format character.
const sequences = "\x1b[2J\x1b]0;owned\x07\u009b2J\u202e\x7f\x00"

// controls returns the control and format characters of a text, except those of lines and tables.
func controls(text string) (found []rune) {
	for _, r := range text {
		if unicode.Is(unicode.C, r) && r != '\n' && r != '\t' {
			found = append(found, r)
		}
	}
	return found
}

// A program can create a job object of any name, and names its image. So can the owner of a record.
func TestVerbs_NamesWithSequences_NoneReachesTheTerminal(t *testing.T) {
	w := newWorld(t)
	evil := "default/e" + strings.ReplaceAll(sequences, "\x00", "")
	ids = append(ids, evil)
	defer func() { ids = ids[:len(ids)-1] }()
	w.container(t, evil)
	if _, err := w.Place(`Global\silo/`+evil, "a"+sequences+".exe", jobtest.Self); err != nil {
		t.Fatal(err)
	}
	r := record("past", filepath.Join(w.dir, "x"+strings.ReplaceAll(sequences, "\x00", "")+".log"))
	r.Program, r.Warnings = "p"+sequences, []string{"w" + sequences}
	r.Exit = &node.Exit{Code: 1, Error: "e" + sequences, At: w.Now()}
	if err := w.app.Node.Records.Write(r); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"ps", "-a"}, {"ps", "-a", "-o", "wide"}, {"ps", "-a", "-o", "json"}, {"ps", "-a", "--format", "{{.Name}} {{.Program}} {{.Log}}"},
		{"ps", "-a", "--format", "table {{.Name}}\t{{.Program}}"}, {"ps", "-a", "--format", "json"},
		{"top", "--count", "1", evil}, {"top", "-o", "json"}, {"stats", "--no-stream"}, {"stats", "-o", "json", "--no-stream"},
		{"inspect", evil}, {"inspect", "past"}, {"inspect", "--format", "{{.program}} {{.Name}} {{.State.Error}}", "past"}, {"inspect", "no" + evil},
		{"events", "--count", "2", "--interval", "1ms"}, {"pause", evil}, {"resume", evil}, {"kill", "no" + evil}, {"kill", evil}, {"wait", "past"},
		{"cleanup"}, {"rm", "past"},
	} {
		w.silo(t, args...)
		if got := controls(w.Stdout.String() + w.Stderr.String()); len(got) > 0 {
			t.Errorf("silo %q prints %q:\n%q\n%q", args, got, w.Stdout.String(), w.Stderr.String())
		}
		if strings.Contains(strings.Join(args, " "), "json") && !json.Valid(w.Stdout.Bytes()) {
			d := json.NewDecoder(&w.Stdout)
			for {
				if err := d.Decode(new(any)); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("silo %q prints no JSON: %v", args, err)
				}
			}
		}
	}
}

func TestLogs_OutputWithSequences_ReachesTheTerminalRawOnly(t *testing.T) {
	w := newWorld(t)
	log := filepath.Join(w.dir, "out.log")
	text := "one\r\n" + sequences + "two\tä\xff\n"
	if err := errors.Join(os.WriteFile(log, []byte(text), 0o600), w.app.Node.Records.Write(record("mine", log))); err != nil {
		t.Fatal(err)
	}
	terminal := func(io.Writer) (int, int, bool) { return 80, 25, true }
	for _, c := range []struct {
		args     []string
		terminal func(io.Writer) (int, int, bool)
		want     string
	}{
		{[]string{"logs", "mine"}, terminal, "one\r\n?[2J?]0;owned??2J\u202e??two\tä\xff\n"},
		{[]string{"logs", "--raw", "mine"}, terminal, text},
		{[]string{"logs", "mine"}, nil, text},
	} {
		w.app.Terminal = c.terminal
		if code := w.silo(t, c.args...); code != 0 || w.Stdout.String() != c.want {
			t.Errorf("silo %q: %d %q, want %q", c.args, code, w.Stdout.String(), c.want)
		}
	}
}
