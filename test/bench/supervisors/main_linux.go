package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/siloshim/siloshim/test/damon"
	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// exitCode is the program's exit code, which every supervisor must return.
const exitCode = 3

// candidate is one way to run the program.
type candidate struct {
	name    string
	exe     string
	args    []string // the last two are the program's, if there is one
	program bool     // it runs the program
	walls   []time.Duration
	peaks   []int64        // resident memory of the supervisor alone, in KiB
	memory  testenv.Memory // of the supervisor alone
}

func main() {
	rounds := flag.Int("rounds", 30, "runs of each")
	flag.Parse()
	if err := measure(context.Background(), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "supervisors:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, rounds int) (err error) {
	wine, err := testenv.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, wine.Close()) }()
	dir, err := os.MkdirTemp("", "supervisors")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	list, err := candidates(ctx, wine, dir)
	if err != nil {
		return err
	}
	env := []string{
		"DAMON_ENFORCE_CPU_LIMIT=n", "DAMON_ENFORCE_MEMORY_LIMIT=n",
		"DAMON_LOG_DIR=" + wine.WindowsPath(dir), "SILO_STATE=" + wine.WindowsPath(filepath.Join(dir, "state")),
	}
	for range rounds {
		for _, c := range list {
			if err := c.run(ctx, wine, env); err != nil {
				return err
			}
		}
	}
	for _, c := range list {
		if !c.program {
			continue
		}
		if err := c.weigh(ctx, wine, env); err != nil {
			return err
		}
	}
	report(list)
	return nil
}

func candidates(ctx context.Context, wine *testenv.Env, dir string) ([]*candidate, error) {
	peer, _, err := damon.Build(ctx, dir)
	if err != nil {
		return nil, err
	}
	silo := filepath.Join(dir, "silo.exe")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "no_grpc", "-trimpath", "-ldflags", "-s -w", "-o", silo, "./cmd/silo")
	cmd.Dir = wine.Root()
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build silo.exe: %w\n%s", err, text)
	}
	program := []string{workload.Payload, "exit", fmt.Sprint(exitCode)}
	return []*candidate{
		{name: "`silo run`", exe: silo, args: append([]string{"run", "--"}, program...), program: true},
		{name: "`silo supervise`", exe: silo, args: append([]string{"supervise"}, program...), program: true},
		{name: "damon 0.1.1", exe: peer, args: program, program: true},
		{name: "the program alone", exe: program[0], args: program[1:], program: true},
		{name: "`silo version`", exe: silo, args: []string{"version"}},
		{name: "the version of damon", exe: peer},
	}, nil
}

func (c *candidate) run(ctx context.Context, wine *testenv.Env, env []string) error {
	cmd := wine.Command(ctx, c.exe, c.args...)
	cmd.Env = append(cmd.Env, env...)
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	want := 0
	if c.program {
		want = exitCode
	}
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
		return fmt.Errorf("%s: %w, want exit code %d", c.name, errors.Join(err, ctx.Err()), want)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("this system does not report the resources of a process")
	}
	c.walls, c.peaks = append(c.walls, wall), append(c.peaks, usage.Maxrss)
	return nil
}

// weigh runs a supervisor whose program lives for two seconds, and keeps the most memory that the supervisor had.
func (c *candidate) weigh(ctx context.Context, wine *testenv.Env, env []string) error {
	cmd := wine.Command(ctx, c.exe, append(c.args[:len(c.args)-2:len(c.args)-2], "sleep", "2")...)
	cmd.Env = append(cmd.Env, env...)
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }() // ends with the supervisor
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case err := <-exited:
			if err == nil && c.memory.Threads == 0 {
				err = errors.New("its memory could not be read")
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", c.name, err)
			}
			return err
		case <-again.C:
		}
		if m, err := testenv.MemoryOf(cmd.Process.Pid); err == nil && m.Sum() >= c.memory.Sum() { // else it begins, or ends
			c.memory = m
		}
	}
}

func report(list []*candidate) {
	fmt.Fprintln(os.Stdout, "| | start to end, median | 95th percentile | peak resident memory | private: executable | stacks | threads | the rest |\n|---|---|---|---|---|---|---|---|")
	for _, c := range list {
		slices.Sort(c.walls)
		slices.Sort(c.peaks)
		parts := "| | | "
		if m := c.memory; c.program {
			parts = fmt.Sprintf("%.1f MiB | %.1f MiB | %d | %.1f MiB", mebibytes(m.Image), mebibytes(m.Stacks), m.Threads, mebibytes(m.Rest))
		}
		fmt.Fprintf(os.Stdout, "| %s | %d ms | %d ms | %.1f MiB | %s |\n", c.name, at(c.walls, 0.5).Milliseconds(),
			at(c.walls, 0.95).Milliseconds(), float64(at(c.peaks, 0.5))/1024, parts)
	}
}

// at is a quantile of sorted values.
func at[T any](sorted []T, part float64) T { return sorted[int(part*float64(len(sorted)-1))] }

func mebibytes(n uint64) float64 { return float64(n) / (1 << 20) }
