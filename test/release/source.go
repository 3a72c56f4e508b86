package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// version is a version of the project.
type version struct {
	text   string // with its v
	number [3]int
}

func (v version) String() string { return v.text }

// bare is the version as package managers write it.
func (v version) bare() string { return strings.TrimPrefix(v.text, "v") }

var versionRule = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

func parseVersion(text string) (version, error) {
	v := version{text: text}
	m := versionRule.FindStringSubmatch(text)
	if m == nil {
		return v, fmt.Errorf("version %q is not of the form v1.2.3 or v1.2.3-rc.1", text)
	}
	for i := range v.number {
		n, err := strconv.ParseUint(m[i+1], 10, 16) // as in the properties of an executable
		if err != nil {
			return v, fmt.Errorf("version %q: %w", text, err)
		}
		v.number[i] = int(n)
	}
	return v, nil
}

// source is a clone of the repository at the commit of a release.
type source struct {
	dir     string
	version version
	commit  string
	time    time.Time // of the commit
}

// newSource clones the repository's HEAD into dir. In the clone the commit has the tag of the version, as the go command takes
// the version of an executable from there.
func newSource(ctx context.Context, repository, dir string, v version) (*source, error) {
	changed, err := run(ctx, repository, nil, "git", "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changed != "" {
		return nil, fmt.Errorf("the work tree has changes that are in no commit; commit them:\n%s", changed)
	}
	commit, err := run(ctx, repository, nil, "git", "rev-parse", "HEAD")
	if err != nil {
		return nil, err
	}
	tagged, err := run(ctx, repository, nil, "git", "rev-parse", "--quiet", "--verify", "refs/tags/"+v.text+"^{commit}")
	if err == nil && tagged != commit {
		return nil, fmt.Errorf("tag %s is commit %s and HEAD is %s; check out the tag", v, tagged, commit)
	}
	top, err := run(ctx, repository, nil, "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	s := &source{dir: dir, version: v, commit: commit}
	for _, args := range [][]string{
		{"-C", top, "clone", "--quiet", "--no-checkout", "--no-tags", top, dir},
		{"-C", dir, "checkout", "--quiet", "--detach", commit},
		{"-C", dir, "tag", v.text, commit},
	} {
		if _, err := run(ctx, ".", nil, "git", args...); err != nil {
			return nil, err
		}
	}
	seconds, err := run(ctx, dir, nil, "git", "show", "--no-patch", "--format=%ct", commit)
	if err != nil {
		return nil, err
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return nil, err
	}
	s.time = time.Unix(unix, 0).UTC()
	return s, s.checkToolchain()
}

var goLine = regexp.MustCompile(`(?m)^go (\S+)$`)

// checkToolchain refuses another toolchain than that of go.mod, which would make other files. The make target sets it.
func (s *source) checkToolchain() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "go.mod"))
	if err != nil {
		return err
	}
	m := goLine.FindSubmatch(text)
	if m == nil {
		return errors.New("go.mod has no line with a version of Go")
	}
	if want := "go" + string(m[1]); runtime.Version() != want {
		return fmt.Errorf("the toolchain is %s, and go.mod has %s; set GOTOOLCHAIN=%s, as make release does", runtime.Version(), want, want)
	}
	return nil
}

// toolPackages are those of tools/go.mod that a release needs.
var toolPackages = []string{"github.com/josephspurrier/goversioninfo/cmd/goversioninfo", "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod"}

// tools is a directory of executables.
type tools string

func (t tools) path(name string) string { return filepath.Join(string(t), name) }

// buildTools builds the tools of the commit for this machine.
func (s *source) buildTools(ctx context.Context, dir string) (tools, error) {
	args := append([]string{"build", "-C", "tools", "-trimpath", "-buildvcs=false", "-o", dir + string(filepath.Separator)}, toolPackages...)
	_, err := run(ctx, s.dir, plainGo, "go", args...)
	return tools(dir), err
}

// plainGo keeps settings of the caller out of a build.
var plainGo = []string{"GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0"}

// run runs a program and returns its output without the line end.
func run(ctx context.Context, dir string, env []string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s %s: %w: %s", program, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
