package conformance

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

var (
	handlersFlag = flag.String("handlers", testenv.SiloHandler+","+testenv.SandboxHandler, "the runtime classes of the pods")
	casesFlag    = flag.String("cases", "", "run only the cases whose names match this regular expression")
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
	var results []result
	for h := range strings.SplitSeq(*handlersFlag, ",") {
		if err := c.applyPolicy(ctx, h); err != nil {
			t.Fatal(err)
		}
		results = append(results, c.run(t, h)...)
	}
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

// applyPolicy makes HostProcess pods with a handler of all pods of the tests, and waits until the apiserver does so.
func (c *suite) applyPolicy(ctx context.Context, handler string) error {
	cmd := c.Kubectl(ctx, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(policy, "HANDLER", handler) +
		"---\n{apiVersion: v1, kind: Namespace, metadata: {name: e2e-policy, labels: {e2e-run: policy}}}\n")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apply policy: %w\n%s", err, text)
	}
	return kube.Until(ctx, "the policy is in force", func() (bool, error) {
		const fields = "{.spec.runtimeClassName} {.spec.securityContext.windowsOptions.hostProcess} {.spec.hostNetwork}"
		text, err := c.Kubectl(ctx, "-n", "e2e-policy", "run", "test", "--image=test", "--dry-run=server", "-o", "jsonpath="+fields).CombinedOutput()
		if err != nil {
			return false, fmt.Errorf("%w: %s", err, text)
		}
		return string(text) == handler+" true true", fmt.Errorf("pod: %s", text)
	})
}

// run runs the cases with a handler.
func (c *suite) run(t *testing.T, handler string) []result {
	wanted := regexp.MustCompile(*casesFlag)
	var results []result
	var now []*spec
	for _, s := range c.specs {
		switch {
		case !wanted.MatchString(s.name):
		case (s.skip != nil) == *skippedFlag:
			now = append(now, s)
		default:
			results = append(results, result{spec: s, handler: handler})
		}
	}
	// A run of the tests has few cases, because they are named on its command line.
	for batch := range slices.Chunk(now, 20) {
		outcomes, err := c.runBatch(t.Context(), handler, batch)
		if err != nil {
			t.Error(err)
		}
		for _, s := range batch {
			o, ok := outcomes[s.name]
			if !ok {
				o.State = "missing in the report"
			}
			results = append(results, result{s, handler, o})
			t.Logf("%s %s %s (%v)", o.State, handler, s.name, time.Duration(o.RunTime).Round(time.Second))
		}
	}
	return results
}

// runBatch runs some cases.
func (c *suite) runBatch(ctx context.Context, handler string, batch []*spec) (map[string]outcome, error) {
	dir := kube.Dir(c.Wine.Root())
	report := filepath.Join(dir, "e2e.json")
	if err := os.RemoveAll(report); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "e2e-"+handler+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := []string{"--ginkgo.no-color", "--ginkgo.v", "--ginkgo.timeout=2h", "--ginkgo.json-report=" + c.Wine.WindowsPath(report)}
	for _, s := range batch {
		args = append(args, "--ginkgo.focus="+regexp.QuoteMeta(s.name)+"$")
	}
	cmd := kube.E2E(ctx, c.Wine, args...)
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	text, readErr := os.ReadFile(report)
	if readErr != nil { // it reports failed cases, too
		return nil, fmt.Errorf("the tests have no report: %w; see %s", errors.Join(err, readErr), log.Name())
	}
	return readReport(text)
}
