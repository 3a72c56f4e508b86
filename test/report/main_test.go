package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// targets replace those of make.
var targets = map[string]func(){
	"good": func() { fmt.Println("ok  \ta/b\t0.1s") },
	"bad": func() {
		fmt.Print("--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/part (0.00s)\nFAIL\ta/c\t0.1s\nok  \ta/d\t0.1s\n")
		os.Exit(2)
	},
}

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-k" {
		targets[os.Args[2]]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// clock is a clock that goes on by a second at each look.
func clock() func() time.Time {
	var now time.Time
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func TestReport_AfterAFailure_GoesOnAndNamesIt(t *testing.T) {
	var out strings.Builder
	if report(t.Context(), &out, clock(), os.Args[0], []string{"bad", "good", "bad"}) {
		t.Error("report returned that all succeeded")
	}
	const bad = "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/part (0.00s)\nFAIL\ta/c\t0.1s\nok  \ta/d\t0.1s\n"
	const why = "  bad: exit status 2\n      --- FAIL: TestA (0.00s)\n      --- FAIL: TestA/part (0.00s)\n      FAIL\ta/c\t0.1s\n"
	want := bad + "ok  \ta/b\t0.1s\n" + bad + "\ntook: bad 1s, good 1s, bad 1s; all 7s\npassed: good\nfailed:\n" + why + why
	if out.String() != want {
		t.Errorf("report wrote\n%s\nwant\n%s", out.String(), want)
	}
}

func TestReport_WithoutAFailure_Succeeds(t *testing.T) {
	var out strings.Builder
	if !report(t.Context(), &out, clock(), os.Args[0], []string{"good", "good"}) {
		t.Error("report returned that something failed")
	}
	if want := "\ntook: good 1s, good 1s; all 5s\npassed: good good\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("report wrote %q, want %q at its end", out.String(), want)
	}
}
