package logfile

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzNumberOf: a file that has a number has the name that rotation gives that number, and there is a next one.
func FuzzNumberOf(f *testing.F) {
	for _, seed := range []string{"000001", "000002.times", "1", "1000000", "+00001", "0000001", "9223372036854775807", "9223372036854775807.times", "old"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, suffix string) {
		number, index := numberOf(suffix)
		if number == 0 {
			return
		}
		want := rotatedName("x.log", number)
		if index {
			want += timesSuffix
		}
		if want != "x.log."+suffix {
			t.Errorf("%q has the number %d, and so has %q", "x.log."+suffix, number, want)
		}
		for _, f := range []files{{rotated: []int{number}}, {indexes: []int{number}}} {
			if next := f.current(); next < number {
				t.Errorf("after %d comes %d", number, next)
			}
		}
	})
}

// FuzzTimes: any index gives a time that is in it.
func FuzzTimes(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.times")
	whole := &timesWriter{path: path, on: true}
	for at := range int64(3) {
		whole.add(10*at, time.Unix(1_700_000_000+at, 0))
	}
	whole.close()
	text, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, int64(15))
	f.Add(text[:40], int64(-1))
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, text []byte, offset int64) {
		path := filepath.Join(t.TempDir(), "x.times")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		r := &timesReader{path: path}
		defer r.close()
		r.refresh()
		r.refresh() // nothing is counted twice
		if want := len(text) / entrySize; r.count != want {
			t.Fatalf("%d entries of %d", r.count, want)
		}
		at, ok := r.at(offset)
		known := false
		for i := range r.count {
			known = known || r.entry(i).time.Equal(at)
		}
		if ok != (r.count > 0) || ok && !known {
			t.Errorf("the time at %d is %v, %v", offset, at, ok)
		}
	})
}
