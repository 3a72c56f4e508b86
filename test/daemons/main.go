// Command daemons reads `go test -json` of the end to end suite from standard input, prints each result, and stores the
// results for one version of containerd. Its exit code is 1 if a test failed.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: daemons ROOT VERSION COMMIT < RESULT")
		os.Exit(2)
	}
	failed, err := keep(os.Args[1], os.Args[2], os.Args[3], os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "daemons:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}

// keep stores the run in docs/containerd.json, and writes docs/containerd.md and the table of docs/evidence.md.
func keep(root, version, commit string, in io.Reader, progress io.Writer) (failed bool, err error) {
	run, err := read(in, progress)
	if err != nil {
		return false, err
	}
	run.Commit = commit
	data := filepath.Join(root, "docs", "containerd.json")
	all, err := load(data)
	if err != nil {
		return false, err
	}
	all[version] = run
	if err := all.save(data); err != nil {
		return false, err
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "containerd.md"), all.page(), 0o644); err != nil {
		return false, err
	}
	return run.failed(), all.into(filepath.Join(root, "docs", "evidence.md"))
}
