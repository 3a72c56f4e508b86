package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// visible passes text on to a terminal without its control characters, except ends of lines and tabs: the output of a
// container could otherwise control the terminal that shows it. It is not safe for concurrent use.
type visible struct {
	to   io.Writer
	rest []byte // the beginning of a character
}

// Write implements [io.Writer].
func (v *visible) Write(p []byte) (int, error) {
	var text []byte
	rest := append(v.rest, p...)
	for len(rest) > 0 && utf8.FullRune(rest) {
		r, size := utf8.DecodeRune(rest)
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			text = append(text, '?')
		} else {
			text = append(text, rest[:size]...) // also a byte that is no UTF-8
		}
		rest = rest[size:]
	}
	v.rest = bytes.Clone(rest)
	if _, err := v.to.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// printableLines is [printable] for a text of several lines with tabs.
func printableLines(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return []rune(printable(string(r)))[0]
	}, text)
}

// encodeJSON writes a document. Characters that [printable] replaces are escaped, which JSON requires for some of them only.
func encodeJSON(to io.Writer, v any, indent string) error {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	var text bytes.Buffer
	for _, r := range plain.String() {
		switch {
		case r == '\n' || printable(string(r)) == string(r):
			text.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&text, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&text, `\u%04x`, r)
		}
	}
	_, err := to.Write(text.Bytes())
	return err
}
