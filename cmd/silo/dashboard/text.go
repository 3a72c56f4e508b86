package dashboard

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/siloshim/siloshim/internal/size"
)

// textMax bounds the names, paths and lines that are kept and shown, in bytes.
const textMax = 512

// printable makes control characters, marks of direction and invalid bytes visible, as \x1b, and cuts long text. The
// text is safe to show on one line; it is not escaped for HTML.
func printable(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if b.Len() > textMax {
			b.WriteRune('…')
			break
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		i += n
	}
	return b.String()
}

// longID is an id that containerd's clients make.
var longID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// shortID cuts an id of 64 hexadecimal digits to 12, as docker does.
func shortID(id string) string {
	if longID.MatchString(id) {
		return id[:12]
	}
	return id
}

// shortName is namespace and id, that as of [shortID].
func shortName(name string) string {
	namespace, id, _ := strings.Cut(name, "/")
	return namespace + "/" + shortID(id)
}

// logLines returns the last lines of the end of a log, printable. cut reports whether the first line may lack its
// beginning.
func logLines(text []byte, cut bool, limit int) []string {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if cut && len(lines) > 1 {
		lines = lines[1:]
	}
	if len(text) == 0 {
		return nil
	}
	lines = lines[max(0, len(lines)-limit):]
	for i, line := range lines {
		lines[i] = printable(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "    "))
	}
	return lines
}

// unknown stands for a value that is not known.
const unknown = "–"

func bytesText(v float64) string {
	if math.IsNaN(v) {
		return unknown
	}
	return size.Format(uint64(max(0, v)))
}

func rateText(v float64) string {
	if math.IsNaN(v) {
		return unknown
	}
	return size.Format(uint64(max(0, v))) + "/s"
}

// coresText writes a number of processors.
func coresText(v float64) string {
	if math.IsNaN(v) {
		return unknown
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// spanText writes a time span in its two largest units.
func spanText(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours()/24), int(d.Hours())%24)
}
