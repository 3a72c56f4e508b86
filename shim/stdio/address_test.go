package stdio

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
)

func TestParseAddress(t *testing.T) {
	pipe, log := endpoint(t), filepath.Join(t.TempDir(), "a log.txt")
	for name, tc := range map[string]struct {
		field, raw string
		path       string
		file       bool
		err        error
	}{
		"pipe":             {"stdout", pipe, pipe, false, nil},
		"pipe for stdin":   {"stdin", pipe, pipe, false, nil},
		"npipe":            {"stderr", uri("npipe", pipe), pipe, false, nil},
		"npipe elsewhere":  {"stderr", "npipe://server/pipe/x", "", false, errdefs.ErrInvalidArgument},
		"npipe, no path":   {"stderr", "npipe://", "", false, errdefs.ErrInvalidArgument},
		"file":             {"stdout", uri("file", log), log, true, nil},
		"file for stdin":   {"stdin", uri("file", log), "", false, errdefs.ErrInvalidArgument},
		"file with a host": {"stdout", "file://server/share/x", "", false, errdefs.ErrInvalidArgument},
		"file, no path":    {"stdout", "file://", "", false, errdefs.ErrInvalidArgument},
		"logging program":  {"stdout", "binary:///logger.exe?token=hush", "", false, errdefs.ErrNotImplemented},
		"unknown scheme":   {"stdout", "fifo:///x?token=hush", "", false, errdefs.ErrInvalidArgument},
		"relative path":    {"stdout", `dir\hush`, "", false, errdefs.ErrInvalidArgument},
		"no URI at all":    {"stdin", "%hush\x00", "", false, errdefs.ErrInvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := parseAddress(tc.field, tc.raw)
			if tc.err != nil {
				if !errors.Is(err, tc.err) || !strings.HasPrefix(err.Error(), tc.field+": ") {
					t.Fatalf("error %v, want class %v and the field first", err, tc.err)
				}
				if strings.Contains(err.Error(), "hush") {
					t.Errorf("the error repeats the address: %v", err)
				}
				return
			}
			if err != nil || *a != (address{tc.field, tc.path, tc.file}) {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
}

// uri writes path as containerd's clients do.
func uri(scheme, path string) string {
	path = strings.ReplaceAll(filepath.ToSlash(path), " ", "%20")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // file:///C:/x
	}
	return scheme + "://" + path
}
