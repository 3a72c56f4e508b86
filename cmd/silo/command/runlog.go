package command

import (
	"errors"
	"io"

	"github.com/spf13/pflag"
	"gopkg.in/natefinch/lumberjack.v2"
)

// logFlags say where the output of a run is logged.
type logFlags struct {
	path  string // "" for no log
	size  int    // megabytes
	files int    // that are kept after a rotation
}

func (f *logFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.path, "log", "", "file for its output, besides the terminal")
	set.IntVar(&f.size, "log-max-size", 10, "megabytes after which the file is rotated")
	set.IntVar(&f.files, "log-max-files", 5, "rotated files that are kept")
}

func (f *logFlags) validate() error {
	if f.size < 1 || f.files < 1 {
		return errors.New("--log-max-size and --log-max-files are at least 1")
	}
	return nil
}

// route connects the program to silo's streams and to the log. A Windows Server container has no stdin, and its two
// outputs stay apart. closeLog closes the log after the end of the program.
func (a *App) route(p *runPlan) (out streams, closeLog func() error) {
	out = a.streams()
	if p.server.on {
		out = streams{stdout: a.Stdout, stderr: a.Stderr}
	}
	if p.log.path == "" {
		return out, func() error { return nil }
	}
	file := &lumberjack.Logger{Filename: p.log.path, MaxSize: p.log.size, MaxBackups: p.log.files}
	switch {
	case p.detach:
		out = streams{stdout: file}
	case p.server.on:
		out.stdout, out.stderr = io.MultiWriter(file, a.Stdout), io.MultiWriter(file, a.Stderr)
	default:
		out.stdout, out.stderr = io.MultiWriter(file, a.Stdout), nil
	}
	return out, file.Close
}
