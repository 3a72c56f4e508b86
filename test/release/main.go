// Command release makes the files of a release from a commit:
//
//	go run ./test/release -version v0.1.0 -out bin/release
//
// It builds in a new clone of the repository, with the Go toolchain and the tools that the commit names, so that two machines
// make the same files. A signature differs each time; without -cert and -key there is none.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.repository, "repository", ".", "the repository with the commit, which is HEAD")
	flag.StringVar(&o.version, "version", "", "the version, such as v0.1.0")
	flag.StringVar(&o.out, "out", "bin/release", "the directory of the files; what it has is removed")
	flag.StringVar(&o.sign.certificate, "cert", "", "PEM file of the certificate to sign with, and those of its issuers")
	flag.StringVar(&o.sign.key, "key", "", "PEM file of its key")
	flag.StringVar(&o.sign.timestamp, "timestamp", "", "address of a RFC 3161 timestamp server")
	flag.Parse()
	if err := release(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	repository, version, out string
	sign                     signing
}

// commands are the executables of a release.
var commands = []program{
	{name: "containerd-shim-silo-v1", description: "containerd runtime shim for Windows job containers and Windows Server containers"},
	{name: "silo", description: "Run, limit and watch programs and containers on Windows"},
}

// architectures are those of a release.
var architectures = []string{"amd64", "arm64"}

// release makes the files of a release and prints their checksums.
func release(ctx context.Context, log io.Writer, o options) (err error) {
	v, err := parseVersion(o.version)
	if err != nil {
		return err
	}
	if err := o.sign.check(); err != nil {
		return err
	}
	if o.out, err = filepath.Abs(o.out); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "silo-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	s, err := newSource(ctx, o.repository, filepath.Join(temporary, "tree"), v)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "%s is commit %s\n", v, s.commit)
	tools, err := s.buildTools(ctx, filepath.Join(temporary, "tools"))
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(o.out), os.MkdirAll(o.out, 0o755)); err != nil {
		return err
	}
	sums := map[string]string{} // of the archives, by architecture
	for _, arch := range architectures {
		b := &build{source: s, tools: tools, arch: arch, dir: filepath.Join(temporary, arch)}
		archive, err := b.run(ctx, o)
		if err != nil {
			return fmt.Errorf("windows/%s: %w", arch, err)
		}
		if sums[arch], err = sumOf(archive); err != nil {
			return err
		}
	}
	if err := s.writeManifests(o.out, sums); err != nil {
		return err
	}
	return writeSums(log, o.out)
}
