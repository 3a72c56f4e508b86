package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/logfile"
	"github.com/siloshim/siloshim/internal/pipe"
)

// address is where one stream leads: to a pipe, a file or a logging program.
type address struct {
	field    string // "stdin", "stdout" or "stderr"
	path     string // of the pipe, the file or the program
	file     bool
	rotation logfile.Options // of the file
	program  bool
	args     []string // of the program
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
	if pipe.IsLocal(raw) {
		return &address{field: field, path: raw}, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: neither a pipe nor a URI; use a pipe, npipe://, file:// or binary://: %w", field, errdefs.ErrInvalidArgument)
	}
	switch path := filePath(u.Path); {
	case u.Scheme != "npipe" && u.Scheme != "file" && u.Scheme != "binary":
		return nil, fmt.Errorf("%s: unknown scheme %q; use npipe, file or binary: %w", field, u.Scheme, errdefs.ErrInvalidArgument)
	case u.Host != "":
		return nil, fmt.Errorf("%s: %s:// must not name a host: %w", field, u.Scheme, errdefs.ErrInvalidArgument)
	case u.Scheme == "npipe" && pipe.IsLocal(filepath.FromSlash(u.Path)):
		return &address{field: field, path: filepath.FromSlash(u.Path)}, nil
	case u.Scheme == "npipe":
		return nil, fmt.Errorf("%s: npipe:// names no local pipe: %w", field, errdefs.ErrInvalidArgument)
	case field == "stdin":
		return nil, fmt.Errorf("stdin: %s:// is for output only; use a pipe: %w", u.Scheme, errdefs.ErrInvalidArgument)
	case !isLocal(path):
		return nil, fmt.Errorf("%s: %s:// needs an absolute path of this host: %w", field, u.Scheme, errdefs.ErrInvalidArgument)
	case u.Scheme == "binary":
		return programAddress(field, path, u)
	default:
		r, err := parseRotation(field, u.RawQuery)
		return &address{field: field, path: path, file: true, rotation: r}, err
	}
}

// programAddress reads the rest of binary://: a key of the query is an argument, and so is its value if it has one.
func programAddress(field, path string, u *url.URL) (*address, error) {
	if !isProgram(path) {
		return nil, fmt.Errorf("%s: binary:// needs the path of an executable: %w", field, errdefs.ErrInvalidArgument)
	}
	a := &address{field: field, path: path, program: true}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		for _, part := range []string{key, value} {
			arg, err := url.QueryUnescape(part)
			if err != nil {
				return nil, fmt.Errorf("%s: binary:// has a malformed query: %w", field, errdefs.ErrInvalidArgument)
			}
			if arg != "" {
				a.args = append(a.args, arg)
			}
		}
	}
	return a, nil
}

// open opens a for writing.
func (a *address) open(ctx context.Context) (io.WriteCloser, error) {
	if !a.file {
		return dial(ctx, a.path)
	}
	if err := fault.Call("make log directory", func() error { return os.MkdirAll(filepath.Dir(a.path), 0o750) }); err != nil {
		return nil, err
	}
	return openLog(a.path, a.rotation)
}

// acceptTimeout is how long a client may take to accept at its pipe.
// Clients accept before they send the request, so one that has not is at fault.
const acceptTimeout = pipe.DialTimeout

// reach opens a for the first time. A pipe that exists and is not accepted at is
// closed after [acceptTimeout]; the error then says so instead of wrapping ctx's.
func reach[Stream any](ctx context.Context, a *address, open func(context.Context) (Stream, error)) (Stream, error) {
	bounded, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	s, err := open(bounded)
	switch {
	case err == nil:
		return s, nil
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("%s: not accepted within %s; the client must accept before it sends the request", a.path, acceptTimeout)
	}
	return s, a.unavailable(err)
}

// dial connects to the client's pipe.
func dial(ctx context.Context, path string) (net.Conn, error) {
	return fault.Do("dial stdio pipe", func() (net.Conn, error) { return pipe.Dial(ctx, path) })
}

// unavailable adds the field and the class to an error of opening a.
func (a *address) unavailable(err error) error {
	return fmt.Errorf("open %s: %w: %w", a.field, err, errdefs.ErrUnavailable)
}
