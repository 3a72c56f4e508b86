package damon

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/internal/logfile"
)

// NewLog opens the log: one JSON object a line with level, time, message and the labels of the task. It returns an error
// for a file that cannot be written. The caller closes the file. changed is that of [logfile.OpenWriter].
func NewLog(c *Config, changed func()) (*slog.Logger, *logfile.Writer, error) {
	file, err := logfile.OpenWriter(c.LogFile, logfile.Options{MaxSize: int64(c.LogMaxSize) << 20, MaxFiles: c.LogMaxFiles}, changed)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; name another one with DAMON_LOG_DIR or DAMON_LOG_NAME", err)
	}
	log := slog.New(slog.NewJSONHandler(file, &slog.HandlerOptions{ReplaceAttr: spelling}))
	for _, label := range slices.Sorted(maps.Keys(c.Labels)) {
		log = log.With(label, c.Labels[label])
	}
	return log, file, nil
}

// spelling gives keys and values the form that Damon's had.
func spelling(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.MessageKey:
		a.Key = "message"
	case slog.LevelKey:
		return slog.String("level", strings.ToLower(a.Value.String()))
	case slog.TimeKey:
		return slog.String("time", a.Value.Time().Format(time.RFC3339))
	}
	return a
}
