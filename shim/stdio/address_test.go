package stdio

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/internal/logfile"
)

func TestParseAddress(t *testing.T) {
	pipe, log, program := endpoint(t), filepath.Join(t.TempDir(), "a log.txt"), filepath.Join(t.TempDir(), "logger.exe")
	bad := func(class error) want { return want{err: class} }
	for name, tc := range map[string]struct {
		field, raw string
		want       want
	}{
		"pipe":             {"stdout", pipe, want{address: address{path: pipe}}},
		"pipe for stdin":   {"stdin", pipe, want{address: address{path: pipe}}},
		"npipe":            {"stderr", uri("npipe", pipe), want{address: address{path: pipe}}},
		"npipe elsewhere":  {"stderr", "npipe://server/pipe/x", bad(errdefs.ErrInvalidArgument)},
		"npipe, no path":   {"stderr", "npipe://", bad(errdefs.ErrInvalidArgument)},
		"file":             {"stdout", uri("file", log), want{address: address{path: log, file: true, rotation: logfile.Options{MaxFiles: 5}}}},
		"file, rotated":    {"stdout", uri("file", log) + "?max_size=2k&max_files=3", want{address: address{path: log, file: true, rotation: logfile.Options{MaxSize: 2048, MaxFiles: 3}}}},
		"file, size":       {"stdout", uri("file", log) + "?max_size=10M", want{address: address{path: log, file: true, rotation: logfile.Options{MaxSize: 10 << 20, MaxFiles: 5}}}},
		"file, no size":    {"stdout", uri("file", log) + "?max_size=hush", bad(errdefs.ErrInvalidArgument)},
		"file, huge":       {"stdout", uri("file", log) + "?max_size=9999999999999g", bad(errdefs.ErrInvalidArgument)},
		"file, no files":   {"stdout", uri("file", log) + "?max_size=1&max_files=0", bad(errdefs.ErrInvalidArgument)},
		"file, files only": {"stdout", uri("file", log) + "?max_files=2", bad(errdefs.ErrInvalidArgument)},
		"file, unknown":    {"stdout", uri("file", log) + "?max-size=1", bad(errdefs.ErrInvalidArgument)},
		"file for stdin":   {"stdin", uri("file", log), bad(errdefs.ErrInvalidArgument)},
		"file with a host": {"stdout", "file://server/share/x", bad(errdefs.ErrInvalidArgument)},
		"file, no path":    {"stdout", "file://", bad(errdefs.ErrInvalidArgument)},
		"program":          {"stderr", uri("binary", program), want{address: address{path: program, program: true}}},
		"program, arguments": {
			"stdout", uri("binary", program) + "?--file=a+b&-v&=%26",
			want{address: address{path: program, program: true, args: []string{"--file", "a b", "-v", "&"}}},
		},
		"program, bad query":  {"stdout", uri("binary", program) + "?hush=%zz", bad(errdefs.ErrInvalidArgument)},
		"program with a host": {"stdout", "binary://server/share/x.exe?hush", bad(errdefs.ErrInvalidArgument)},
		"program for stdin":   {"stdin", uri("binary", program), bad(errdefs.ErrInvalidArgument)},
		"program, no path":    {"stdout", "binary://?hush", bad(errdefs.ErrInvalidArgument)},
		"unknown scheme":      {"stdout", "fifo:///x?token=hush", bad(errdefs.ErrInvalidArgument)},
		"relative path":       {"stdout", `dir\hush`, bad(errdefs.ErrInvalidArgument)},
		"no URI at all":       {"stdin", "%hush\x00", bad(errdefs.ErrInvalidArgument)},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := parseAddress(tc.field, tc.raw)
			if tc.want.err != nil {
				if !errors.Is(err, tc.want.err) || !strings.HasPrefix(err.Error(), tc.field+": ") {
					t.Fatalf("error %v, want class %v and the field first", err, tc.want.err)
				}
				if strings.Contains(err.Error(), "hush") {
					t.Errorf("the error repeats the address: %v", err)
				}
				return
			}
			tc.want.field = tc.field
			if err != nil || !reflect.DeepEqual(*a, tc.want.address) {
				t.Errorf("got %+v, %v, want %+v", a, err, tc.want.address)
			}
		})
	}
}

// want is what an address is read as, or the class of the error.
type want struct {
	address
	err error
}

// uri writes path as containerd's clients do.
func uri(scheme, path string) string {
	path = strings.ReplaceAll(filepath.ToSlash(path), " ", "%20")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // file:///C:/x
	}
	return scheme + "://" + path
}

// FuzzParseAddress: a field is refused with an error that begins with its name, or leads to one place.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{
		`\\.\pipe\x`, "/run/x.sock", "npipe:////./pipe/x", "file:///C:/x.log?max_size=10M&max_files=3", "file:///x?max_size=-1", "file:///x?max_files=1000&max_files=0",
		"binary:///C:/a.exe?--file=a+b&-v&=%26", "binary:///x?%zz", "file://server/share", "fifo:///x", "%\x00", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, field := range []string{"stdin", "stdout", "stderr"} {
			a, err := parseAddress(field, raw)
			if err != nil {
				if !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.HasPrefix(err.Error(), field+": ") {
					t.Errorf("%q: %v", raw, err)
				}
				continue
			}
			if a.path == "" || a.file && a.program || field == "stdin" && (a.file || a.program) || len(a.args) > 0 && !a.program {
				t.Errorf("%q leads to %+v", raw, *a)
			}
			if r := a.rotation; a.file && (r.MaxSize < 0 || r.MaxFiles < 1 || r.MaxFiles > maxFiles) {
				t.Errorf("%q rotates by %+v", raw, r)
			}
		}
	})
}
