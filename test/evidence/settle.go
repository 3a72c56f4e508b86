package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// assumption is a row of docs/unproved.md.
type assumption struct{ id, text, check string }

// rowRule matches a row: id, assumption, why, source, check.
var rowRule = regexp.MustCompile(`^\| (U\d+) \| (.*?) \| (?:.*?) \| (?:.*?) \| (.*) \|$`)

// assumptions reads the rows of docs/unproved.md, in order.
func assumptions(page string) (list []assumption) {
	for line := range strings.Lines(page) {
		if m := rowRule.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			list = append(list, assumption{id: m[1], text: m[2], check: m[3]})
		}
	}
	return list
}

// servers are the builds of the versions of Windows Server.
var servers = map[string]string{"2016": "14393", "2019": "17763", "2022": "20348", "2025": "26100"}

// onItsServers reports whether the builds have each version that the row names. A row about one version is not settled by
// others.
func (a *assumption) onItsServers(builds []string) bool {
	for version, build := range servers {
		named := regexp.MustCompile(`\b` + version + `\b`).MatchString(a.text + " " + a.check)
		if named && !slices.ContainsFunc(builds, func(b string) bool { return slices.Contains(strings.Split(b, "."), build) }) {
			return false
		}
	}
	return true
}

// verdict is what an upload says about a row.
type verdict struct {
	assumption
	by     string   // what proved it
	builds []string // of Windows
	broken []string // what contradicts it
}

func (v *verdict) settled() bool { return v.by != "" && len(v.broken) == 0 }

// settle returns a verdict for each row about which the upload says something. A row is settled if each of its trials, or each
// test that its check names, succeeded on every build of the upload, also on the versions that the row names, and none failed
// under any user.
func settle(rows []assumption, upload []*result) (list []*verdict) {
	for _, row := range rows {
		v := &verdict{assumption: row}
		names, builds := v.bySelftest(upload)
		if by, ok := testsOf(row.check); ok && names == nil {
			names, builds = v.byTests(by, upload)
		}
		if all := buildsOf(upload); names != nil && slices.Equal(builds, all) && row.onItsServers(all) {
			v.by, v.builds = strings.Join(names, ", "), builds
		}
		if v.by != "" || v.broken != nil {
			list = append(list, v)
		}
	}
	return list
}

// buildsOf are the builds of Windows in an upload.
func buildsOf(upload []*result) []string {
	builds := map[string]bool{}
	for _, r := range upload {
		builds[r.selftest.Windows] = true
	}
	return slices.Sorted(maps.Keys(builds))
}

// bySelftest returns the trials that settle the row, and the builds on which all of them were kept.
func (v *verdict) bySelftest(upload []*result) (names, builds []string) {
	keptOn := map[string]map[string]bool{} // trial, build
	for _, r := range upload {
		for _, t := range r.selftest.Trials {
			if !slices.Contains(t.Settles, v.id) {
				continue
			}
			if keptOn[t.Trial] == nil {
				keptOn[t.Trial] = map[string]bool{}
			}
			switch t.Result {
			case kept:
				keptOn[t.Trial][r.selftest.Windows] = true
			case broken:
				v.broken = append(v.broken, fmt.Sprintf("silo selftest, %q, on %s as %s", t.Trial, r.selftest.Windows, r.User))
			}
		}
	}
	for _, trial := range slices.Sorted(maps.Keys(keptOn)) {
		names = append(names, fmt.Sprintf("`silo selftest`: %s", trial))
	}
	return names, buildsOfAll(keptOn, upload)
}

// buildsOfAll returns the builds on which every name of a map has a result.
func buildsOfAll(on map[string]map[string]bool, upload []*result) (builds []string) {
	for _, build := range buildsOf(upload) {
		all := true
		for _, results := range on {
			all = all && results[build]
		}
		if all {
			builds = append(builds, build)
		}
	}
	return builds
}

var (
	goTest    = regexp.MustCompile("`go test (\\./\\S+)(?: -run (Test\\w+))?`")
	testNames = regexp.MustCompile(`\bTest\w+`)
	fillers   = regexp.MustCompile(`[\s:,.]|\band\b`)
)

// testsOf reads the tests that a check consists of. It returns false for a check that is more than tests of this repository.
func testsOf(check string) (keys []string, ok bool) {
	commands := goTest.FindAllStringSubmatch(check, -1)
	if len(commands) != 1 {
		return nil, false
	}
	rest := goTest.ReplaceAllString(check, "")
	names := testNames.FindAllString(rest, -1)
	if commands[0][2] != "" {
		names = append(names, commands[0][2])
	}
	if fillers.ReplaceAllString(testNames.ReplaceAllString(rest, ""), "") != "" || len(names) == 0 {
		return nil, false
	}
	const module = "github.com/siloshim/siloshim/"
	for _, name := range names {
		keys = append(keys, testKey(module+strings.TrimPrefix(commands[0][1], "./"), name))
	}
	return keys, true
}

// byTests returns the tests that settle the row, and the builds on which all of them passed.
func (v *verdict) byTests(keys []string, upload []*result) (names, builds []string) {
	passedOn := map[string]map[string]bool{}
	for _, key := range keys {
		passedOn[key] = map[string]bool{}
		_, name, _ := strings.Cut(key, " ")
		names = append(names, "`"+name+"`")
		for _, r := range upload {
			switch r.tests[key] {
			case passed:
				passedOn[key][r.selftest.Windows] = true
			case failed:
				v.broken = append(v.broken, fmt.Sprintf("%s on %s as %s", name, r.selftest.Windows, r.User))
			}
		}
	}
	return names, buildsOfAll(passedOn, upload)
}
