package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The files of one host and user.
const (
	hostFile     = "host.json"
	testFile     = "test.json" // of go test -json
	selftestFile = "selftest.json"
)

// host describes one host and user.
type host struct {
	System string         `json:"system"` // the name of the Windows release
	User   string         `json:"user"`
	Runner string         `json:"runner,omitempty"` // the image of a hosted runner
	Commit string         `json:"commit"`
	At     time.Time      `json:"at"`
	Exits  map[string]int `json:"exits"` // of each step
}

// step is a program whose output is a file of the evidence.
type step struct {
	file string
	args []string
}

// collect runs all steps and stores their output. A step that fails is evidence too; the exit codes are in host.json.
func collect(ctx context.Context, out string) (err error) {
	if runtime.GOOS != "windows" {
		return errors.New("collect: run it on a Windows host")
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	programs, err := os.MkdirTemp("", "silo-evidence-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	silo := filepath.Join(programs, "silo.exe")
	if text, err := exec.CommandContext(ctx, "go", "build", "-tags", "no_grpc", "-trimpath", "-buildvcs=true", "-o", silo, "./cmd/silo").CombinedOutput(); err != nil {
		return fmt.Errorf("build silo: %w: %s", err, text)
	}
	h, err := describeHost(ctx)
	if err != nil {
		return err
	}
	for _, s := range []step{
		{"systeminfo.csv", []string{"systeminfo", "/fo", "csv"}},
		{"version.json", []string{silo, "version", "-o", "json"}},
		{"doctor.json", []string{silo, "doctor", "-o", "json"}},
		{selftestFile, []string{silo, "selftest", "-o", "json"}},
		{testFile, []string{"go", "test", "-json", "-tags", "no_grpc", "-count", "1", "-timeout", "1h", "./..."}},
		{"bench-scrape.json", []string{"go", "run", "-tags", "no_grpc", "./test/bench/scrape"}},
		{"bench-peers.json", []string{"go", "run", "-tags", "no_grpc", "./test/bench/peers"}},
	} {
		if h.Exits[s.file], err = s.run(ctx, out); err != nil {
			return err
		}
		fmt.Printf("%s: exit %d\n", s.file, h.Exits[s.file])
	}
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, hostFile), append(text, '\n'), 0o644)
}

// run runs a step and returns its exit code. Its errors are beside its output.
func (s step) run(ctx context.Context, out string) (code int, err error) {
	cmd := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
	stdout, err := os.Create(filepath.Join(out, s.file))
	if err != nil {
		return 0, err
	}
	stderr, err := os.Create(filepath.Join(out, s.file+".stderr.txt"))
	if err != nil {
		return 0, errors.Join(err, stdout.Close())
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code, err = exit.ExitCode(), nil
	}
	return code, errors.Join(err, stdout.Close(), stderr.Close())
}

// describeHost tells the host, the user and the commit.
func describeHost(ctx context.Context) (*host, error) {
	account, err := user.Current()
	if err != nil {
		return nil, err
	}
	commit, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return nil, fmt.Errorf("git rev-parse: %w", err)
	}
	const localSystem = "S-1-5-18"
	h := &host{User: "administrator", Commit: strings.TrimSpace(string(commit)), At: time.Now().UTC(), Exits: map[string]int{}, System: os.Getenv("ImageOS"), Runner: os.Getenv("ImageVersion")}
	if account.Uid == localSystem {
		h.User = "LocalSystem"
	}
	return h, nil
}
