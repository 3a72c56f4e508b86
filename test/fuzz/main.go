// Command fuzz runs every fuzz target of the module, one after the other and all of them, and prints a table:
//
//	go run ./test/fuzz -time 10m
//
// A failing input is kept below testdata/fuzz of its package. The inputs that reach new code are in the cache of go, and each
// run continues with them.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	var r run
	flag.StringVar(&r.program, "go", "go", "the go command")
	flag.StringVar(&r.tags, "tags", "no_grpc", "build tags")
	flag.StringVar(&r.time, "time", "30s", "time of each target, or a number of executions such as 1000x")
	flag.StringVar(&r.only, "run", "", "regular expression of the targets; default: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := r.all(ctx, ".", os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// run is how the targets are run.
type run struct {
	program, tags, time, only string
}

// target is one fuzz target, and the result of its run.
type target struct {
	dir, name string
	result
	err error
}

// result is what go test says of a run.
type result struct {
	execs         uint64
	corpus, added int // the inputs, and those that this run has added
}

// all runs the targets below root, and prints the table.
func (r run) all(ctx context.Context, root string, out io.Writer) error {
	only, err := regexp.Compile(r.only)
	if err != nil {
		return err
	}
	targets, err := find(root)
	if err != nil {
		return err
	}
	targets = slices.DeleteFunc(targets, func(t target) bool { return !only.MatchString(t.dir + "." + t.name) })
	if len(targets) == 0 {
		return errors.New("there is no such target")
	}
	for i := range targets {
		t := &targets[i]
		if t.err = ctx.Err(); t.err == nil {
			fmt.Fprintf(out, "%d of %d: %s %s\n", i+1, len(targets), t.dir, t.name)
			t.result, t.err = r.one(ctx, root, out, *t)
		}
	}
	return table(out, targets)
}

// declaration is that of a fuzz target.
var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(\w+ \*testing\.F\)`)

// find finds the targets below root, in a fixed order.
func find(root string) (list []target, err error) {
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != root && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata" || hasModule(path)):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, match := range declaration.FindAllSubmatch(text, -1) {
			list = append(list, target{dir: filepath.ToSlash(dir), name: string(match[1])})
		}
		return err
	})
	return list, err
}

// hasModule reports whether a directory is another module.
func hasModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// one runs one target.
func (r run) one(ctx context.Context, root string, out io.Writer, t target) (result, error) {
	cmd := exec.CommandContext(ctx, r.program, "test", "-tags", r.tags, "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", r.time, "./"+t.dir)
	cmd.Dir, cmd.Stderr = root, out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go test writes what it has found
	cmd.WaitDelay = time.Minute
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	got := parse(io.TeeReader(pipe, out))
	err = cmd.Wait()
	if err == nil && got.execs == 0 {
		err = errors.New("no execution was reported")
	}
	return got, err
}

// The lines of go test -fuzz with numbers.
var (
	executions = regexp.MustCompile(`^fuzz: elapsed: .*execs: (\d+)`)
	corpus     = regexp.MustCompile(`new interesting: (\d+) \(total: (\d+)\)`)
)

// parse reads the output of go test -fuzz. Its last numbers count.
func parse(from io.Reader) (r result) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if m := executions.FindStringSubmatch(line); m != nil {
			r.execs, _ = strconv.ParseUint(m[1], 10, 64) // digits alone
		}
		if m := corpus.FindStringSubmatch(line); m != nil {
			r.added, _ = strconv.Atoi(m[1])
			r.corpus, _ = strconv.Atoi(m[2])
		}
		if err != nil {
			return r
		}
	}
}

// table prints the results. It returns an error if a target has failed.
func table(out io.Writer, targets []target) error {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "package\ttarget\texecutions\tcorpus\tnew\tresult")
	var sum uint64
	failed := 0
	for _, t := range targets {
		text := "ok"
		if t.err != nil {
			failed++
			text = t.err.Error()
		}
		sum += t.execs
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\n", t.dir, t.name, t.execs, t.corpus, t.added, text)
	}
	fmt.Fprintf(w, "%d targets\t\t%d\t\t\t%d failed\n", len(targets), sum, failed)
	if err := w.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d targets have failed; their inputs are below testdata/fuzz of the packages", failed)
	}
	return nil
}
