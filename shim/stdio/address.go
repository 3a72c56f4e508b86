package stdio

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"
)

// address is where one stream leads.
type address struct {
	field string // "stdin", "stdout" or "stderr"
	path  string // of a pipe, or of a file
	file  bool
}

// parseAddresses returns the addresses of stdin, stdout and stderr, nil where
// the field is empty.
func parseAddresses(c Config) (a [3]*address, err error) {
	for i, f := range []struct{ name, raw string }{
		{"stdin", c.Stdin}, {"stdout", c.Stdout}, {"stderr", c.Stderr},
	} {
		if f.raw == "" {
			continue
		}
		if a[i], err = parseAddress(f.name, f.raw); err != nil {
			return a, err
		}
	}
	return a, nil
}

// parseAddress reads one field. Its errors show the scheme alone: the rest of
// a log URI carries arguments of a logging program.
func parseAddress(field, raw string) (*address, error) {
	if isPipe(raw) {
		return &address{field: field, path: raw}, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: neither a pipe nor a URI: %w", field, errdefs.ErrInvalidArgument)
	}
	switch path := filePath(u.Path); {
	case u.Scheme == "binary":
		return nil, fmt.Errorf("%s: binary:// logging: %w", field, errdefs.ErrNotImplemented)
	case u.Scheme != "npipe" && u.Scheme != "file":
		return nil, fmt.Errorf("%s: unknown scheme %q: %w", field, u.Scheme, errdefs.ErrInvalidArgument)
	case u.Host != "":
		return nil, fmt.Errorf("%s: %s:// must not name a host: %w", field, u.Scheme, errdefs.ErrInvalidArgument)
	case u.Scheme == "npipe" && isPipe(filepath.FromSlash(u.Path)):
		return &address{field: field, path: filepath.FromSlash(u.Path)}, nil
	case u.Scheme == "npipe":
		return nil, fmt.Errorf("%s: npipe:// names no local pipe: %w", field, errdefs.ErrInvalidArgument)
	case field == "stdin":
		return nil, fmt.Errorf("stdin: file:// takes output only: %w", errdefs.ErrInvalidArgument)
	case !filepath.IsAbs(path):
		return nil, fmt.Errorf("%s: file:// path is not absolute: %w", field, errdefs.ErrInvalidArgument)
	default:
		return &address{field: field, path: path, file: true}, nil
	}
}

// open reaches a as a place to write to.
func (a *address) open(ctx context.Context) (io.WriteCloser, error) {
	if !a.file {
		return dialPipe(ctx, a.path)
	}
	if err := os.MkdirAll(filepath.Dir(a.path), 0o750); err != nil {
		return nil, err
	}
	return os.OpenFile(a.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
}

// unavailable gives err, from reaching a, its name and class.
func (a *address) unavailable(err error) error {
	return fmt.Errorf("open %s: %w: %w", a.field, err, errdefs.ErrUnavailable)
}
