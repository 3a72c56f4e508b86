package textfile_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/siloshim/siloshim/internal/textfile"
	"github.com/siloshim/siloshim/test/sparse"
)

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"empty":                        {"", ""},
		"UTF-8":                        {"ä{}", "ä{}"},
		"UTF-8 with a mark":            {"\xEF\xBB\xBF{}", "{}"},
		"a mark alone":                 {"\xEF\xBB\xBF", ""},
		"the first mark alone is none": {"\xEF\xBB\xBF\xEF\xBB\xBF", "\xEF\xBB\xBF"},
		"not at the beginning":         {"{\xEF\xBB\xBF}", "{\xEF\xBB\xBF}"},
		"a part of a mark":             {"\xEF\xBB", "\xEF\xBB"},
		"UTF-16 little endian":         {"\xFF\xFEA\x00\xE4\x00\x0D\x00\x0A\x00", "Aä\r\n"},
		"UTF-16 big endian":            {"\xFE\xFF\x00A\x20\xAC", "A€"},
		"UTF-16 with a pair":           {"\xFF\xFE\x3D\xD8\x00\xDE!\x00", "😀!"},
		"UTF-16, only its mark":        {"\xFE\xFF", ""},
	} {
		if got, err := textfile.Decode([]byte(c.in)); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestDecode_UnreadableEncoding_IsNamed(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"UTF-32 little endian":    {"\xFF\xFE\x00\x00A\x00\x00\x00", "UTF-32"},
		"UTF-32 big endian":       {"\x00\x00\xFE\xFF\x00\x00\x00A", "UTF-32"},
		"UTF-16 without its mark": {"A\x00B\x00", "UTF-16 without a byte order mark"},
		"the same, big endian":    {"\x00A\x00B", "UTF-16 without a byte order mark"},
		"odd length":              {"\xFF\xFEA", "UTF-16 and ends within a character"},
		"high surrogate alone":    {"\xFF\xFEA\x00\x3D\xD8", "half a character at byte 4"},
		"low surrogate alone":     {"\xFE\xFF\xDE\x00\x00A", "half a character at byte 2"},
		"two high surrogates":     {"\xFF\xFE\x3D\xD8\x3D\xD8", "half a character at byte 2"},
	} {
		got, err := textfile.Decode([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%s: %q, %v, want an error with %q and a remedy", name, got, err, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.txt")
	if _, err := textfile.Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for text, want := range map[string]string{"\xEF\xBB\xBFA": "A", "\xFF\xFEA\x00": "A"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := textfile.Read(path); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if err := os.WriteFile(path, []byte("\xFF\xFEA"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := textfile.Read(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want an error with the file's name", err)
	}
}

// FuzzDecode: text survives each encoding with a byte order mark, and anything else gives text or an error.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "A=1\r\n", "\xFF\xFEa\x00", "\xFE\xFF\xD8\x00", "\x00a", "\xFF\xFE\x00\x00", "ä😀\uFEFF"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, err := textfile.Decode(data); err != nil && text != nil {
			t.Errorf("%q gives %q and %v", data, text, err)
		}
		text := strings.ToValidUTF8(string(data), "")
		units := utf16.Encode([]rune(text))
		little, big := []byte{0xFF, 0xFE}, []byte{0xFE, 0xFF}
		for _, u := range units {
			little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
		}
		for _, encoded := range [][]byte{append([]byte("\uFEFF"), text...), little, big} {
			// UTF-16 that begins with NUL looks like UTF-32, which is refused.
			if got, err := textfile.Decode(encoded); string(got) != text && (err == nil || len(units) == 0 || units[0] != 0) {
				t.Errorf("%q became %q, %v by way of %q", text, got, err, encoded)
			}
		}
	})
}

func TestRead_HugeFile_IsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.toml")
	sparse.File(t, path)
	_, err := textfile.Read(path)
	sparse.Refused(t, path, err)
}
