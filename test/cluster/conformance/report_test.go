package conformance

import (
	"strings"
	"testing"
)

const report = `[{"SpecReports": [
	{"LeafNodeType": "SynchronizedBeforeSuite", "State": "passed", "ContainerHierarchyTexts": null, "LeafNodeText": ""},
	{"LeafNodeType": "It", "State": "failed", "ContainerHierarchyTexts": ["[sig-node] Pods"], "LeafNodeText": "should run", "Failure": {"Message": "it did not"}},
	{"LeafNodeType": "It", "State": "timedout", "ContainerHierarchyTexts": ["[sig-node] Pods"], "LeafNodeText": "should end"},
	{"LeafNodeType": "It", "State": "skipped", "ContainerHierarchyTexts": ["[sig-node]", "Pods"], "LeafNodeText": "should fly", "Failure": {"Message": "no wings\nat all"}},
	{"LeafNodeType": "It", "State": "passed", "ContainerHierarchyTexts": ["[sig-node] Pods"], "LeafNodeText": "should stop", "RunTime": 5}
]}]`

func TestReadReport_Ginkgo_HasOutcomesByName(t *testing.T) {
	outcomes, err := readReport([]byte(report))
	if err != nil {
		t.Fatal(err)
	}
	if o := outcomes["[sig-node] Pods should run"]; o.State != "failed" || o.Failure.Message != "it did not" {
		t.Errorf("outcome %+v", o)
	}
	if o := outcomes["[sig-node] Pods should stop"]; o.State != "passed" || o.RunTime != 5 {
		t.Errorf("outcome %+v", o)
	}
}

func TestTable_EachKindOfResult_IsCounted(t *testing.T) {
	l, err := parse("reason why it needs water\nfocus [sig-node] Pods\nskip why should swim\n")
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := readReport([]byte(report))
	if err != nil {
		t.Fatal(err)
	}
	a := l.areas[0]
	results := []result{{spec: &spec{area: a, skip: a.skips[0]}, handler: "silo"}}
	for name, o := range outcomes {
		if strings.HasPrefix(name, a.focus) {
			results = append(results, result{&spec{name: name, area: a}, "silo", o})
		}
	}
	text := table(l, results)
	for _, want := range []string{"run 3, passed 1, failed 2, skipped 2", "1 skipped: it needs water", "1 skipped: the tests: no wings\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}
