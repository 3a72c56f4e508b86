package conformance

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

var (
	handlersFlag = flag.String("handlers", "", "the runtime classes of the pods; without it no case runs")
	casesFlag    = flag.String("cases", "", "run only the cases whose names match this regular expression")
	lanesFlag    = flag.Int("lanes", 3, "how many runs of the end-to-end tests there are at a time, without that of the serial cases")
	skippedFlag  = flag.Bool("skipped", false, "run the cases that cases.txt skips: one that passes is an error")
)

// limit bounds the start of the cluster, and each wait on it.
const limit = 10 * time.Minute

// policy makes HostProcess pods of the tests' pods.
//
//go:embed policy.yaml
var policy string

// suite is a cluster that runs cases.
type suite struct {
	*kube.Cluster
	list  *list
	specs []*spec
}

// TestConformance runs the cases of cases.txt with each handler. A case fails the test if it fails, or if cases.txt skips it
// for nothing.
func TestConformance(t *testing.T) {
	if *handlersFlag == "" {
		t.Skip("make cluster-e2e runs it")
	}
	wine := testenv.Require(t)
	if err := errors.Join(kube.Built(wine.Root()), kube.E2EBuilt(wine.Root())); err != nil {
		t.Skip(err)
	}
	cases, err := parse(caseList)
	if err != nil {
		t.Fatal("cases.txt: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	names, err := kube.E2E(ctx, wine, "--list-tests").Output()
	if err != nil {
		t.Fatal("list the tests: ", err)
	}
	specs, err := cases.choose(bytes.NewReader(names))
	if err != nil {
		t.Fatal("cases.txt: ", err)
	}
	cluster, err := kube.Start(ctx, wine)
	if err != nil {
		t.Fatal(err)
	}
	c := &suite{Cluster: cluster, list: cases, specs: specs}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs: %s, %s", kube.Dir(c.Wine.Root()), c.Node.LogPath())
		}
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := errors.Join(c.Apply(ctx), c.ImportE2EImages(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := c.applyPolicy(ctx); err != nil {
		t.Fatal(err)
	}
	results := c.run(t, strings.Split(*handlersFlag, ","))
	c.judge(t, results)
	t.Log("\n" + table(cases, results))
}

// judge fails the test for the results that cases.txt does not expect.
func (c *suite) judge(t *testing.T, results []result) {
	for _, r := range results {
		switch kind := r.kind(); {
		case kind == "failed" && r.skip == nil:
			t.Errorf("%s with %s: %s: %s", r.name, r.handler, r.State, r.Failure.Message)
		case kind == "passed" && r.skip != nil:
			t.Errorf("%s with %s passed, but cases.txt skips it: %s", r.name, r.handler, c.list.reasons[r.skip.reason])
		}
	}
}

// applyPolicy makes HostProcess pods of all pods of the tests, and waits until the apiserver does so.
func (c *suite) applyPolicy(ctx context.Context) error {
	const namespace = "---\n{apiVersion: v1, kind: Namespace, metadata: {name: e2e-policy, labels: {e2e-handler: silo}}}\n"
	cmd := c.Kubectl(ctx, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(policy + namespace)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apply policy: %w\n%s", err, text)
	}
	return kube.Until(ctx, "the policy is in force", func() (bool, error) {
		const fields = "{.spec.runtimeClassName} {.spec.securityContext.windowsOptions.hostProcess} {.spec.hostNetwork}"
		text, err := c.Kubectl(ctx, "-n", "e2e-policy", "run", "test", "--image=test", "--dry-run=server", "-o", "jsonpath="+fields).CombinedOutput()
		if err != nil {
			return false, fmt.Errorf("%w: %s", err, text)
		}
		return string(text) == "silo true true", fmt.Errorf("pod: %s", text)
	})
}
