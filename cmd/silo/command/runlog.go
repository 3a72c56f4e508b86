package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/internal/logfile"
	"github.com/siloshim/siloshim/stats/prom"
)

// logFlags say where the output of a run is logged.
type logFlags struct {
	path  string // "" for no log; absolute after resolve
	size  int    // megabytes
	files int    // rotated files that are kept beside the current one
	start *node.LogPosition
}

func (f *logFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.path, "log", "", "file for its output, besides the terminal")
	set.IntVar(&f.size, "log-max-size", 10, "megabytes after which the file is rotated, at the end of a line")
	set.IntVar(&f.files, "log-max-files", 5, "rotated files that are kept beside the current one")
}

// validate checks the numbers.
func (f *logFlags) validate() error {
	if f.size < 1 || f.files < 1 {
		return errors.New("--log-max-size and --log-max-files are at least 1")
	}
	return nil
}

// options are those of the log.
func (f *logFlags) options() logfile.Options {
	return logfile.Options{MaxSize: int64(f.size) << 20, MaxFiles: f.files, Times: true}
}

// resolve checks the flags and makes the path absolute: silo logs may have another working directory.
func (f *logFlags) resolve() error {
	if err := f.validate(); err != nil || f.path == "" {
		return err
	}
	dir := os.IsPathSeparator(f.path[len(f.path)-1])
	path, err := filepath.Abs(f.path)
	if err != nil {
		return fmt.Errorf("--log %s: %w", f.path, err)
	}
	f.path = path
	if info, err := os.Stat(path); dir || err == nil && info.IsDir() {
		return fmt.Errorf("--log %s is a directory: name a file in it, such as %s", path, filepath.Join(path, "output.log"))
	}
	return nil
}

// outputs are the destinations of the output of a run. One that fails costs neither the output of another one nor its
// own later output. A slow terminal blocks the program; a slow log does for 3 s at most.
type outputs struct {
	streams
	log          *logfile.Writer // nil for none
	destinations []destination
	journal      atomic.Pointer[journal] // is told of failures
	closing      sync.Once
}

// destination is one of them with its name in the record.
type destination struct {
	name string
	of   interface{ Failure() logfile.Failure }
}

// route removes the output of an earlier run, and connects the program to silo's streams and to the log, which it opens: a
// log that cannot be written refuses the start. A Windows Server container has no stdin, and its two outputs stay apart.
func (a *App) route(p *runPlan) (*outputs, error) {
	if err := a.replace(p); err != nil {
		return nil, fmt.Errorf("nothing was started: %w", err)
	}
	o := &outputs{streams: a.streams()}
	if p.log.path != "" {
		if filepath.Dir(p.log.path) == a.Node.Records.Path(p.name) {
			if err := a.Node.Records.MakeDir(p.name); err != nil {
				return nil, fmt.Errorf("nothing was started: %w", err)
			}
		}
		err := o.openLog(p.log.path, p.log.options())
		if err != nil {
			return nil, fmt.Errorf("nothing was started: %w; name another file with --log", err)
		}
		at := o.log.Position()
		p.log.start = &node.LogPosition{File: at.File, Offset: at.Offset}
		if before, err := a.Node.Records.Read(p.name); p.keepLog && err == nil && before.Log == p.log.path {
			p.log.start = before.LogStart // silo logs shows both runs
		}
	}
	switch {
	case p.detach:
		o.streams = streams{stdout: o.log}
	case p.server.on:
		o.streams = streams{stdout: o.add("stdout", a.Stdout), stderr: o.add("stderr", a.Stderr)}
	case o.log != nil:
		o.stdout, o.stderr = o.add("stdout", a.Stdout), nil
	}
	return o, nil
}

func (o *outputs) openLog(path string, options logfile.Options) (err error) {
	if o.log, err = logfile.OpenWriter(path, options, o.changed); err != nil {
		return err
	}
	o.destinations = append(o.destinations, destination{"log", o.log})
	return nil
}

// add returns a writer to silo's own stream, and to the log if there is one.
func (o *outputs) add(name string, to io.Writer) io.Writer {
	t := supervisor.NewTarget(to, o.changed)
	o.destinations = append(o.destinations, destination{name, t})
	if o.log == nil {
		return t
	}
	return io.MultiWriter(o.log, t) // neither returns an error
}

func (o *outputs) changed() {
	if j := o.journal.Load(); j != nil {
		j.scheduleWrite()
	}
}

// errors has the destinations that have failed.
func (o *outputs) errors() (list []node.OutputError) {
	for _, t := range o.destinations {
		if f := t.of.Failure(); f.Err != "" {
			list = append(list, node.OutputError{Target: t.name, Error: f.Err, LostBytes: f.Lost, Since: f.Since, Failing: f.Failing})
		}
	}
	return list
}

// close writes what the log has not taken yet, and warns of what was lost. Only the first call counts.
func (o *outputs) close(a *App) {
	o.closing.Do(func() {
		if o.log != nil {
			_ = o.log.Close() // its error is one of those below
		}
		for _, e := range o.errors() {
			fmt.Fprintf(a.Stderr, "silo: warning: %s: %d bytes of output were lost: %s\n", e.Target, e.LostBytes, e.Error)
		}
	})
}

// outputMetrics are the metrics of the destinations of a container's output.
func outputMetrics(list []node.OutputError) *prom.Output {
	m := new(prom.Output)
	for _, e := range list {
		m.LostBytes += e.LostBytes
		if e.Failing {
			m.Failing++
		}
	}
	return m
}
