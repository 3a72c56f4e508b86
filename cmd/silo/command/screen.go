package command

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// The control sequences of a screen.
//
// https://learn.microsoft.com/windows/console/console-virtual-terminal-sequences
const (
	toScreen    = "\x1b[?1049h\x1b[?25l" // the alternate screen, without a cursor
	fromScreen  = "\x1b[?25h\x1b[?1049l"
	toHome      = "\x1b[H"
	eraseLine   = "\x1b[K" // from the cursor to the end
	eraseScreen = "\x1b[J"
)

// screen shows one look over the other on a terminal. On anything else looks follow one another, without control sequences.
type screen struct {
	app     *App
	drawn   string // what the terminal shows
	restore func() // nil: not a terminal
}

// openScreen prepares stdout. Close it at the end.
func (a *App) openScreen() *screen {
	s := &screen{app: a}
	if _, _, ok := a.terminal(a.Stdout); ok {
		if restore, ok := enableSequences(a.Stdout); ok {
			s.restore = restore
			fmt.Fprint(a.Stdout, toScreen)
		}
	}
	return s
}

// close restores what the terminal showed before, and leaves the last look below it.
func (s *screen) close() {
	if s.restore == nil {
		return
	}
	fmt.Fprint(s.app.Stdout, fromScreen+s.drawn)
	s.restore()
}

// draw shows a text: on a terminal in one write, so that it does not flicker, and without the lines and the ends of lines
// for which the terminal has no room now.
func (s *screen) draw(text string) error {
	if s.restore == nil {
		_, err := io.WriteString(s.app.Stdout, text)
		return err
	}
	_, height, _ := s.app.terminal(s.app.Stdout)
	lines := strings.SplitAfter(s.app.fit(text), "\n")
	if lines = lines[:len(lines)-1]; height > 1 {
		lines = lines[:min(len(lines), height-1)] // the cursor takes a line
	}
	s.drawn = strings.Join(lines, "")
	_, err := io.WriteString(s.app.Stdout, toHome+strings.ReplaceAll(s.drawn, "\n", eraseLine+"\n")+eraseScreen)
	return err
}

// fit cuts each line of a text to the width of the terminal, if stdout is one.
func (a *App) fit(text string) string {
	columns, _, ok := a.terminal(a.Stdout)
	if !ok || columns <= 1 {
		return text
	}
	var all strings.Builder
	for line := range strings.Lines(text) {
		all.WriteString(cut(strings.TrimSuffix(line, "\n"), columns-1)) // a character in the last column may wrap the line
		all.WriteByte('\n')
	}
	return all.String()
}

// cut returns the beginning of a line that takes no more columns. East Asian characters take two.
func cut(line string, columns int) string {
	for i, r := range line {
		columns--
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			columns--
		}
		if columns < 0 {
			return line[:i]
		}
	}
	return line
}

// terminal returns the size of the terminal that a writer is, 0 where it has none, and false if it is not a terminal.
func (a *App) terminal(w io.Writer) (columns, lines int, ok bool) {
	if a.Terminal != nil {
		return a.Terminal(w)
	}
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, 0, false
	}
	columns, lines, err := term.GetSize(int(f.Fd()))
	return columns, lines, err == nil
}
