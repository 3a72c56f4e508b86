package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
)

// result is the evidence of one host and user.
type result struct {
	host
	selftest selftest
	tests    map[string]string // result by package and test, as "./jobobject TestContract"
}

// selftest is the evidence that silo selftest prints.
type selftest struct {
	Revision  string  `json:"revision"`
	OS        string  `json:"os"`
	Windows   string  `json:"windows"`
	Emulation string  `json:"emulation"`
	Trials    []trial `json:"trials"`
}

type trial struct {
	Trial   string   `json:"trial"`
	Settles []string `json:"settles"`
	Result  string   `json:"result"`
}

// The results of trials and tests.
const (
	kept   = "kept"
	broken = "broken"
	passed = "pass"
	failed = "fail"
)

// readUpload reads the evidence of all hosts below a directory.
func readUpload(tree fs.FS) ([]*result, error) {
	var all []*result
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != hostFile {
			return err
		}
		r, err := readResult(tree, path.Dir(name))
		if err != nil {
			return fmt.Errorf("%s: %w", path.Dir(name), err)
		}
		all = append(all, r)
		return nil
	})
	if err == nil && len(all) == 0 {
		err = errors.New("no " + hostFile + " in the upload")
	}
	return all, err
}

func readResult(tree fs.FS, dir string) (*result, error) {
	r := &result{tests: map[string]string{}}
	for name, to := range map[string]any{hostFile: &r.host, selftestFile: &r.selftest} {
		text, err := fs.ReadFile(tree, path.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, to); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	switch {
	case r.selftest.OS != "windows" || r.selftest.Windows == "":
		return nil, errors.New("selftest names no build of Windows")
	case r.selftest.Emulation != "":
		return nil, fmt.Errorf("%s is no Windows", r.selftest.Emulation)
	case r.selftest.Revision != r.Commit:
		return nil, fmt.Errorf("selftest is of commit %s, and the tests are of %s", r.selftest.Revision, r.Commit)
	}
	text, err := fs.ReadFile(tree, path.Join(dir, testFile))
	if err != nil {
		return nil, err
	}
	return r, r.readTests(text)
}

// readTests reads the output of go test -json.
func (r *result) readTests(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var e struct{ Action, Package, Test string }
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", testFile, err)
		}
		if slices.Contains([]string{passed, failed, "skip"}, e.Action) {
			r.tests[testKey(e.Package, e.Test)] = e.Action
		}
	}
}

// testKey is the name of a test, or of a package if test is empty.
func testKey(pkg, test string) string { return path.Clean(pkg) + " " + test }

// countTests returns the number of tests by result.
func (r *result) countTests() (count map[string]int) {
	count = map[string]int{}
	for key, result := range r.tests {
		if key[len(key)-1] != ' ' { // not a package
			count[result]++
		}
	}
	return count
}

// countTrials returns the number of trials by result.
func (r *result) countTrials() (count map[string]int) {
	count = map[string]int{}
	for _, t := range r.selftest.Trials {
		count[t.Result]++
	}
	return count
}
