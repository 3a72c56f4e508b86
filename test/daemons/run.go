package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// run has the results of the suite with one version.
type run struct {
	Commit string `json:"commit"` // of this project
	// Results are "pass", "fail" or "skip", by the name of the test.
	Results map[string]string `json:"results"`
}

// event is one line of `go test -json`, https://pkg.go.dev/cmd/test2json.
type event struct {
	Action, Test, Output string
	Elapsed              float64 // s
}

// read reads the results from the stream. It prints the output of a test that fails.
func read(in io.Reader, progress io.Writer) (run, error) {
	r := run{Results: map[string]string{}}
	output := map[string][]string{}
	for lines := json.NewDecoder(in); ; {
		var e event
		err := lines.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r, fmt.Errorf("read the output of go test -json: %w", err)
		}
		switch {
		case e.Test == "":
		case e.Action == "output":
			output[e.Test] = append(output[e.Test], e.Output)
		case e.Action == "pass" || e.Action == "fail" || e.Action == "skip":
			r.Results[e.Test] = e.Action
			fmt.Fprintf(progress, "%s %7.1f s  %s\n", e.Action, e.Elapsed, e.Test)
			if e.Action == "fail" {
				fmt.Fprint(progress, strings.Join(output[e.Test], ""))
			}
			delete(output, e.Test)
		}
	}
	if len(r.Results) == 0 {
		return r, errors.New("no test has run")
	}
	for test := range output { // the test binary exited during it
		if _, ok := r.Results[test]; !ok {
			r.Results[test] = "fail"
		}
	}
	return r, nil
}

func (r run) failed() bool {
	for _, result := range r.Results {
		if result == "fail" {
			return true
		}
	}
	return false
}

// leaves are the tests without tests in them, in order.
func (r run) leaves() []string {
	var list []string
	for test := range r.Results {
		list = append(list, test)
	}
	slices.Sort(list)
	parents := map[string]bool{}
	for _, test := range list {
		if i := strings.LastIndexByte(test, '/'); i > 0 {
			parents[test[:i]] = true
		}
	}
	return slices.DeleteFunc(list, func(test string) bool { return parents[test] })
}
