// Package textfile reads text files that people and Windows tools write. Notepad and PowerShell put a byte order mark
// before UTF-8, and Windows PowerShell writes UTF-16 where a command's output goes to a file.
package textfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/siloshim/siloshim/internal/readlimit"
)

// The byte order marks.
var (
	utf8Mark     = []byte{0xEF, 0xBB, 0xBF}
	utf16Little  = []byte{0xFF, 0xFE}
	utf16Big     = []byte{0xFE, 0xFF}
	utf32Little  = []byte{0xFF, 0xFE, 0, 0}
	utf32Big     = []byte{0, 0, 0xFE, 0xFF}
	errUTF32     = errors.New("the file is UTF-32: save it as UTF-8")
	errNoMark    = errors.New("the file is UTF-16 without a byte order mark: save it as UTF-8")
	errUTF16Half = errors.New("the file is UTF-16 and ends within a character: save it as UTF-8")
)

// Read reads a file of at most [readlimit.Text] bytes as UTF-8 without a byte order mark.
func Read(path string) ([]byte, error) {
	text, err := readlimit.File(path, readlimit.Text)
	if err != nil {
		return nil, err
	}
	text, err = Decode(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return text, nil
}

// Decode returns a text as UTF-8 without a byte order mark. UTF-16 is recognized by its mark and converted; any other
// text is returned as it is. The error names an encoding that cannot be read.
func Decode(text []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(text, utf8Mark):
		return text[len(utf8Mark):], nil
	case bytes.HasPrefix(text, utf32Little), bytes.HasPrefix(text, utf32Big):
		return nil, errUTF32
	case bytes.HasPrefix(text, utf16Little):
		return fromUTF16(text[len(utf16Little):], binary.LittleEndian)
	case bytes.HasPrefix(text, utf16Big):
		return fromUTF16(text[len(utf16Big):], binary.BigEndian)
	case len(text) > 1 && (text[0] == 0) != (text[1] == 0): // no text file begins with NUL
		return nil, errNoMark
	}
	return text, nil
}

func fromUTF16(text []byte, order binary.ByteOrder) ([]byte, error) {
	if len(text)%2 != 0 {
		return nil, errUTF16Half
	}
	out := make([]byte, 0, len(text))
	for at := 0; at < len(text); at += 2 {
		r := rune(order.Uint16(text[at:]))
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if at+2 < len(text) {
				low = rune(order.Uint16(text[at+2:]))
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return nil, fmt.Errorf("the file is UTF-16 with half a character at byte %d: save it as UTF-8", len(utf16Little)+at)
			}
			at += 2
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}
