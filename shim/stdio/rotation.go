package stdio

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
)

// rotation says when a log file is put aside and how many such files are kept, by the query of file://:
// max_size in bytes, or with k, m or g behind the number, and max_files, the file that is written among them.
type rotation struct {
	size  int64 // 0 is never
	files int
}

const (
	defaultFiles = 5
	mostFiles    = 1000
)

// parseRotation reads the query of file://. Nothing else may be in it.
func parseRotation(field, query string) (r rotation, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return r, fmt.Errorf("%s: file:// has a query that cannot be read: %w", field, errdefs.ErrInvalidArgument)
	}
	for key := range values {
		switch value := values.Get(key); key {
		case "max_size":
			r.size, err = parseSize(value)
		case "max_files":
			r.files, err = strconv.Atoi(value)
			if r.files < 1 || r.files > mostFiles {
				err = strconv.ErrRange
			}
		default:
			return r, fmt.Errorf("%s: file:// has max_size and max_files, not %q: %w", field, key, errdefs.ErrInvalidArgument)
		}
		if err != nil {
			return r, fmt.Errorf("%s: file:// has a %s that is no number of 1 and above: %w", field, key, errdefs.ErrInvalidArgument)
		}
	}
	switch {
	case r.files > 0 && r.size == 0:
		return r, fmt.Errorf("%s: file:// has max_files without max_size: %w", field, errdefs.ErrInvalidArgument)
	case r.files == 0:
		r.files = defaultFiles
	}
	return r, nil
}

func parseSize(text string) (int64, error) {
	number, unit := text, int64(1)
	if i := strings.IndexAny(strings.ToLower(text), "kmg"); i >= 0 && i == len(text)-1 {
		number = text[:i]
		unit = map[byte]int64{'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30}[text[i]|0x20]
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err == nil && (n < 1 || n > math.MaxInt64/unit) {
		err = strconv.ErrRange
	}
	return n * unit, err
}
