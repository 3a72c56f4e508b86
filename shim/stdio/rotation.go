package stdio

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"strconv"
	"sync"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/logfile"
	"github.com/siloshim/siloshim/internal/size"
)

// The number of rotated files that are kept beside the current one.
const (
	defaultFiles = 5
	maxFiles     = 1000
)

// parseRotation reads the query of file://: max_size in bytes, or with a unit such as k, m or g, and max_files. Nothing
// else may be in it.
func parseRotation(field, query string) (r logfile.Options, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return r, fmt.Errorf("%s: file:// has a malformed query: %w", field, errdefs.ErrInvalidArgument)
	}
	for key := range values {
		switch value := values.Get(key); key {
		case "max_size":
			r.MaxSize, err = parseMaxSize(value)
		case "max_files":
			r.MaxFiles, err = strconv.Atoi(value)
			if r.MaxFiles < 1 || r.MaxFiles > maxFiles {
				err = strconv.ErrRange
			}
		default:
			return r, fmt.Errorf("%s: file:// has an unknown key %q; use max_size and max_files: %w", field, key, errdefs.ErrInvalidArgument)
		}
		if err != nil {
			return r, fmt.Errorf("%s: file:// has a malformed %s; use a number of 1 or more, and at most %d files: %w", field, key, maxFiles, errdefs.ErrInvalidArgument)
		}
	}
	switch {
	case r.MaxFiles > 0 && r.MaxSize == 0:
		return r, fmt.Errorf("%s: file:// has max_files without max_size; add max_size: %w", field, errdefs.ErrInvalidArgument)
	case r.MaxFiles == 0:
		r.MaxFiles = defaultFiles
	}
	return r, nil
}

func parseMaxSize(text string) (int64, error) {
	n, err := size.Parse(text)
	if err == nil && (n < 1 || n > math.MaxInt64) {
		err = strconv.ErrRange
	}
	return int64(n), err
}

// sharedLog is a log file that all streams of this process that write to its path share.
type sharedLog struct {
	*logfile.File
	path  string
	users int // guarded by sharedLogs.mu
}

// sharedLogs are those that are open, by path.
var sharedLogs = struct {
	mu   sync.Mutex
	open map[string]*sharedLog
}{open: map[string]*sharedLog{}}

// logUse is one stream's use of a log file.
type logUse struct {
	*sharedLog
	once sync.Once
}

// openLog opens a log file to append to. The options are those of the first use.
func openLog(path string, o logfile.Options) (*logUse, error) {
	if use := useLog(path, nil); use != nil {
		return use, nil
	}
	// Without the lock: an open that hangs must not block the logs of other containers.
	file, err := fault.Do("open log file", func() (*logfile.File, error) { return logfile.Open(path, o) })
	if err != nil {
		return nil, err
	}
	use := useLog(path, file)
	if use.File != file {
		_ = file.Close() // another stream was faster, and nothing was written
	}
	return use, nil
}

// useLog adds a user to the log that is open, or else to the one of file, if that is not nil.
func useLog(path string, file *logfile.File) *logUse {
	sharedLogs.mu.Lock()
	defer sharedLogs.mu.Unlock()
	l := sharedLogs.open[path]
	if l == nil && file == nil {
		return nil
	}
	if l == nil {
		l = &sharedLog{File: file, path: path}
		sharedLogs.open[path] = l
	}
	l.users++
	return &logUse{sharedLog: l}
}

// Close closes the file with its last user.
func (u *logUse) Close() error {
	err := os.ErrClosed
	u.once.Do(func() {
		if err = nil; u.release() {
			err = u.File.Close()
		}
	})
	return err
}

// release ends the use, and reports whether it was the last one.
func (u *logUse) release() bool {
	sharedLogs.mu.Lock()
	defer sharedLogs.mu.Unlock()
	if u.users--; u.users > 0 {
		return false
	}
	delete(sharedLogs.open, u.path)
	return true
}
