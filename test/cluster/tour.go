//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// workloads are those of the tour: a Deployment with the shim's pods, and a Job with containerd's.
const workloads = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: silo-system}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      runtimeClassName: silo-sandbox
      hostNetwork: true
      terminationGracePeriodSeconds: 5
      securityContext: {windowsOptions: {hostProcess: true, runAsUserName: 'NT AUTHORITY\SYSTEM'}}
      containers:
      - name: main
        image: test.invalid/payload:1
        args: [sleep, '86400']
        resources: {limits: {memory: 64Mi, cpu: 100m}, requests: {cpu: 5m, memory: 8Mi}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job, namespace: silo-system}
spec:
  template:
    spec:
      runtimeClassName: silo
      restartPolicy: Never
      hostNetwork: true
      securityContext: {windowsOptions: {hostProcess: true, runAsUserName: 'NT AUTHORITY\SYSTEM'}}
      containers: [{name: main, image: 'test.invalid/payload:1', args: [print, 'a job has run']}]
`

// tour runs the steps in order. After a failure the other steps do nothing.
type tour struct {
	ctx  context.Context
	wine *testenv.Env
	err  error
}

// give shows what the cluster runs.
func give(ctx context.Context, wine *testenv.Env) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	t := &tour{ctx: ctx, wine: wine}
	t.walk()
	if t.err == nil {
		fmt.Println("\n# the cluster runs on. Try:\n#   .bed/bin/kubectl get pods -A\n#   .bed/bin/kubectl top pods -A\n#   .bed/bin/kubectl -n silo-system logs deployment/web\n# make cluster-down stops it and leaves nothing")
	}
	return t.err
}

func (t *tour) walk() {
	t.say("the node: kubelet.exe has got its certificate by TLS bootstrap")
	t.kubectl(`system:bootstrap:\S+\s.*Approved,Issued`, "get", "certificatesigningrequests")
	t.kubectl(`localhost\s+Ready`, "get", "nodes", "-o", "wide")
	t.say("deploy/kubernetes: runtime classes, the installer and the metrics of the node")
	t.kubectl(`(?s)silo\s+silo\s.*silo-sandbox\s+silo-sandbox`, "get", "runtimeclasses")
	t.kubectl(`successfully rolled out`, "-n", "silo-system", "rollout", "status", "daemonset/silo-install")
	t.kubectl(`successfully rolled out`, "-n", "silo-system", "rollout", "status", "daemonset/silo-metrics")
	t.say("a Deployment of three pods on silo-sandbox, and a Job on silo")
	file := filepath.Join(kube.Dir(t.wine.Root()), "workloads.yaml")
	if err := os.WriteFile(file, []byte(workloads), 0o644); err != nil && t.err == nil {
		t.err = err
	}
	t.kubectl(`deployment.apps/web`, "apply", "-f", t.wine.WindowsPath(file))
	t.kubectl(`successfully rolled out`, "-n", "silo-system", "rollout", "status", "deployment/web")
	t.kubectl(`condition met`, "-n", "silo-system", "wait", "--for=condition=complete", "--timeout=5m", "job/job")
	t.kubectl(`a job has run`, "-n", "silo-system", "logs", "job/job")
	t.say("a second program in a pod, with its standard input")
	t.feed("these words go in and come back\n", `these words go in and come back`,
		"-n", "silo-system", "exec", "-i", "deployment/web", "--", `C:\silo\bin\payload.exe`, "cat")
	t.say("all pods; none has restarted")
	t.kubectl(`(?s)(web-\S+\s+1/1\s+Running\s+0\s.*){3}`, "-n", "silo-system", "get", "pods")
}

func (t *tour) say(what string) {
	if t.err == nil {
		fmt.Printf("\n# %s\n", what)
	}
}

// kubectl prints a command, runs it, prints its output, and compares that with a pattern.
func (t *tour) kubectl(pattern string, args ...string) { t.feed("", pattern, args...) }

// feed is kubectl with standard input.
func (t *tour) feed(stdin, pattern string, args ...string) {
	if t.err != nil {
		return
	}
	fmt.Println("$ kubectl", strings.Join(args, " "))
	var out bytes.Buffer
	cmd := kube.Kubectl(t.ctx, t.wine, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, &out), io.MultiWriter(os.Stderr, &out)
	if err := cmd.Run(); err != nil {
		t.err = fmt.Errorf("kubectl %s: %w", args[0], err)
	} else if !regexp.MustCompile(pattern).MatchString(out.String()) {
		t.err = fmt.Errorf("the output of kubectl %s does not match %q", args[0], pattern)
	}
}
