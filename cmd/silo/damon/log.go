package damon

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// NewLog opens the log: one JSON object a line with level, time, message and the labels of the task. It returns an error
// for a file that cannot be written. The caller closes the file.
func NewLog(c *Config) (*slog.Logger, io.Closer, error) {
	if err := os.MkdirAll(filepath.Dir(c.LogFile), 0o755); err != nil {
		return nil, nil, fmt.Errorf("make the directory of the log: %w", err)
	}
	probe, err := os.OpenFile(c.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	if err := probe.Close(); err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	file := &lumberjack.Logger{Filename: c.LogFile, MaxSize: c.LogMaxSize, MaxBackups: c.LogMaxFiles}
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
