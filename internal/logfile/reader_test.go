package logfile

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/test/sparse"
)

// readOn reads until the end of what there is.
func readOn(t *testing.T, r *Reader) string {
	t.Helper()
	var text []byte
	buffer := make([]byte, 3)
	for {
		n, err := r.Read(buffer)
		text = append(text, buffer[:n]...)
		if errors.Is(err, io.EOF) {
			return string(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func newTestReader(t *testing.T, path string, from Position) *Reader {
	t.Helper()
	r := NewReader(path, from)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestReader_LogIsRotated_ReadsOnInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	r := newTestReader(t, path, Position{})
	if got := readOn(t, r); got != "" {
		t.Errorf("%q of a log that is not there", got)
	}
	f := openTest(t, thisSystem, path, Options{MaxSize: 4})
	for _, c := range []struct{ write, want string }{
		{"", ""}, {"a\n", "a\n"}, {"b\nc\n", "b\nc\n"}, {"d\ne\nf\ng\n", "d\ne\nf\ng\n"}, {"", ""}, {"h\n", "h\n"},
	} {
		write(t, f, c.write)
		if got := readOn(t, r); got != c.want {
			t.Errorf("after %q: %q, want %q", c.write, got, c.want)
		}
	}
	if r.Position() != f.Position() || r.Missed() != 0 {
		t.Errorf("at %v, %d missed, want %v and 0", r.Position(), r.Missed(), f.Position())
	}
}

// TestReader_ListLacksAFile_FileIsRead: a directory that is read while files are renamed may not show each of them.
func TestReader_ListLacksAFile_FileIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		rotated []string // after the first file was read
		lacks   []int
	}{
		"one between":          {[]string{"b\n", "c\n"}, []int{2}},
		"the latest":           {[]string{"b\n"}, []int{2}},
		"its own":              {[]string{"b\n", "c\n"}, []int{1}},
		"its own and the next": {[]string{"b\n", "c\n"}, []int{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.log")
			put := func(name, text string) {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put(path, "a\n")
			r := newTestReader(t, path, Position{})
			want := readOn(t, r)
			if err := os.Rename(path, rotatedName(path, 1)); err != nil {
				t.Fatal(err)
			}
			for i, text := range c.rotated {
				put(rotatedName(path, i+2), text)
				want += text
			}
			put(path, "end\n")
			r.list = func(path string) (files, error) {
				list, err := listFiles(path)
				list.rotated = slices.DeleteFunc(list.rotated, func(n int) bool { return slices.Contains(c.lacks, n) })
				return list, err
			}
			if got := "a\n" + readOn(t, r); got != want+"end\n" || r.Missed() != 0 {
				t.Errorf("%q, %d missed, want %q", got, r.Missed(), want+"end\n")
			}
		})
	}
}

func TestReader_Position_ReadsFromThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	f := openTest(t, thisSystem, path, Options{MaxSize: 4, MaxFiles: 2})
	write(t, f, "a\nb\n", "c\n")
	from := f.Position()
	write(t, f, "d\n", "e\n")
	if got := readOn(t, newTestReader(t, path, from)); got != "d\ne\n" {
		t.Errorf("from %v: %q", from, got)
	}
	write(t, f, "f\ng\n", "h\ni\n", "j\n")
	r := newTestReader(t, path, from)
	if got := readOn(t, r); got != "e\nf\ng\nh\ni\nj\n" || r.Missed() != 1 {
		t.Errorf("from a file that was removed: %q, %d missed, want 1", got, r.Missed())
	}
}

// TestReader_TooSlow_MissedFilesAreCounted: the open file is read to its end also after it was removed.
func TestReader_TooSlow_MissedFilesAreCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	f := openTest(t, thisSystem, path, Options{MaxSize: 2, MaxFiles: 1})
	write(t, f, "a\n")
	r := newTestReader(t, path, Position{})
	if n, err := r.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	write(t, f, "b\n", "c\n", "d\n", "e\n")
	if got := readOn(t, r); got != "\nd\ne\n" || r.Missed() != 2 {
		t.Errorf("%q, %d missed, want 2", got, r.Missed())
	}
}

// TestReader_RotationFails_EachLineOnce: the file is renamed, and renamed back because its successor cannot be opened.
func TestReader_RotationFails_EachLineOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, s := filepath.Join(t.TempDir(), "x.log"), new(faulty)
		f := openTest(t, s.system(), path, Options{MaxSize: 2})
		r := newTestReader(t, path, Position{})
		got := ""
		step := func(text string) {
			write(t, f, text)
			got += readOn(t, r)
		}
		step("a\n")
		for _, back := range []error{nil, os.ErrPermission} {
			s.open, s.renameBack = os.ErrPermission, back
			step("b\n")
			step("c\n")
			s.open = nil
			time.Sleep(retryInterval)
			step("d\n")
		}
		if got != "a\nb\nc\nd\nb\nc\nd\n" {
			t.Errorf("%q", got)
		}
	})
}

func TestReader_Time_IsThatOfTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.log")
		f := openTest(t, thisSystem, path, Options{MaxSize: 4, Times: true})
		began := time.Now()
		for _, text := range []string{"a\n", "b\n", "c\n", "d\n"} {
			write(t, f, text)
			time.Sleep(time.Hour)
		}
		r := newTestReader(t, path, Position{})
		buffer := make([]byte, 2)
		for i := range 4 {
			at := r.Position()
			if _, err := r.Read(buffer); err != nil {
				t.Fatal(err)
			}
			if r.Position().File != at.File {
				at = Position{File: r.Position().File}
			}
			if got, want := r.Time(at), began.Add(time.Duration(i)*time.Hour); !got.Equal(want) {
				t.Errorf("%q: %v, want %v", buffer, got, want)
			}
		}
	})
}

func TestReader_TimeWithoutIndex_IsThatOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	want := time.Unix(1e9, 0)
	if err := errors.Join(os.WriteFile(path, []byte("a\n"), 0o600), os.Chtimes(path, want, want)); err != nil {
		t.Fatal(err)
	}
	r := newTestReader(t, path, Position{})
	readOn(t, r)
	if got := r.Time(Position{File: 1}); !got.Equal(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The times of an index of many blocks are those of its entries, in any order of the questions.
func TestReader_IndexOfManyBlocks_TimesAreThoseOfTheEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.times")
	const count = 5*blockEntries + 7
	var text []byte
	for i := range uint64(count) {
		text = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(text, 10+i*10), i)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := timesReader{path: path}
	defer r.close()
	r.refresh()
	random := rand.New(rand.NewPCG(1, 1))
	for n := range 3 * count {
		offset := int64(n) * 5
		if n > 2*count {
			offset = random.Int64N(20 + count*10)
		}
		want := time.Unix(0, min(max(offset/10-1, 0), count-1))
		if got, ok := r.at(offset); !ok || !got.Equal(want) {
			t.Fatalf("offset %d: %v, %v; want %v", offset, got, ok, want)
		}
	}
}

// The index of a log is not read into memory: it may be of any size.
func TestReader_HugeIndex_TakesNoMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.times")
	sparse.File(t, path)
	r := timesReader{path: path}
	defer r.close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.refresh()
	if got, ok := r.at(1); !ok || !got.Equal(time.Unix(0, 0)) {
		t.Errorf("%v, %v; want 1970", got, ok)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}
