package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/workload"
)

// kind is a kind of workload.
type kind struct {
	name, collection string
	pods             int
	ends             bool // its pods end by themselves
	long             bool // not in the short form of the suite
	manifest         func(spec object) object
}

// kinds are the kinds of workloads with pods.
var kinds = []kind{
	{name: "Pod", collection: "pods", pods: 1, manifest: func(spec object) object { return pod("test", spec) }},
	{name: "Deployment", collection: "deployments", pods: 2, manifest: func(spec object) object {
		return manifest("apps/v1", "Deployment", controlled(spec, object{"replicas": 2}))
	}},
	{name: "DaemonSet", collection: "daemonsets", pods: 1, long: true, manifest: func(spec object) object {
		return manifest("apps/v1", "DaemonSet", controlled(spec, nil))
	}},
	{name: "StatefulSet", collection: "statefulsets", pods: 2, long: true, manifest: func(spec object) object {
		return manifest("apps/v1", "StatefulSet", controlled(spec, object{"replicas": 2, "serviceName": "test"}))
	}},
	{name: "Job", collection: "jobs", pods: 1, ends: true, manifest: func(spec object) object {
		return manifest("batch/v1", "Job", object{"template": template(with(spec, object{"restartPolicy": "Never"}))})
	}},
	{name: "CronJob", collection: "cronjobs", pods: 1, ends: true, long: true, manifest: func(spec object) object {
		job := object{"template": template(with(spec, object{"restartPolicy": "Never"}))}
		return manifest("batch/v1", "CronJob", object{"schedule": "* * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": object{"spec": job}})
	}},
}

func manifest(version, kind string, spec object) object {
	return object{"apiVersion": version, "kind": kind, "metadata": object{"name": "test"}, "spec": spec}
}

// workloads runs each kind with each handler, all at once.
func (c *suite) workloads(t *testing.T) {
	for _, k := range kinds {
		for _, h := range handlers {
			t.Run(k.name+" "+h, func(t *testing.T) {
				if k.long && testing.Short() {
					t.Skip("not in the short form")
				}
				t.Parallel()
				c.workload(t, k, h, podSpec)
			})
		}
	}
}

// workload runs a workload whose program prints a line, waits for a file, prints two more and ends.
func (c *suite) workload(t *testing.T, k kind, handler string, podSpec func(handler string, containers ...object) object) {
	flag := filepath.Join(t.TempDir(), "go on")
	main := with(payload("main", "lines", "3", c.Wine.WindowsPath(flag)), object{"readinessProbe": execProbe("exit", "0")})
	namespace := c.namespace(t)
	c.create(t, namespace, k.collection, k.manifest(podSpec(handler, main)))
	pods := c.pods(t, namespace, k.pods, "ready", ready)
	first := pods[0].Metadata.Name
	passed := func(column string, err error) {
		t.Helper()
		if err != nil {
			c.table.set(k.name, handler, column, "NO")
			t.Errorf("%s: %v", column, err)
			return
		}
		c.table.set(k.name, handler, column, "yes")
	}
	passed("runs", ran(pods, handler))
	passed("probe", nil) // a pod is ready after its probe
	passed("exec", c.execs(t, namespace, first))
	passed("logs", c.logs(t, namespace, first, "0"))
	passed("stats", c.stats(t, pods))
	if k.ends {
		passed("stop", c.finishes(t, k, namespace, first, flag))
	} else {
		passed("stop", c.stops(t, k, namespace))
	}
	var left error
	for i := range pods {
		if err := c.removed(t, &pods[i]); err != nil {
			left = err
		}
	}
	passed("left behind", left)
	if left == nil {
		c.table.set(k.name, handler, "left behind", "nothing")
	}
}

// ran is an error unless all pods run once, with the handler.
func ran(pods []kube.Pod, handler string) error {
	for _, p := range pods {
		s := p.Status.ContainerStatuses
		if p.Spec.RuntimeClassName != handler || len(s) != 1 || s[0].State.Running == nil || s[0].RestartCount != 0 {
			return fmt.Errorf("pod %+v", p)
		}
	}
	return nil
}

// execs runs programs in a pod: one with standard input, and one that fails.
func (c *suite) execs(t *testing.T, namespace, name string) error {
	if r := c.try(t, "in and out\n", "-n", namespace, "exec", "-i", name, "--", workload.Payload, "cat"); r.code != 0 || r.stdout != "in and out\n" {
		return fmt.Errorf("cat: %+v", r)
	}
	if r := c.try(t, "", "-n", namespace, "exec", name, "--", workload.Payload, "say", "7", "out"); r.code != 7 || strings.TrimSpace(r.stdout) != "out" {
		return fmt.Errorf("say 7: %+v", r)
	}
	return nil
}

// logs compares the lines of a pod's log with the numbers wanted.
func (c *suite) logs(t *testing.T, namespace, name string, want ...string) error {
	r := c.try(t, "", "-n", namespace, "logs", name)
	return numbers(r, want...)
}

// numbers is an error unless a program has printed the numbers, a line each, as the payload does.
func numbers(r result, want ...string) error {
	var got []string
	for _, line := range strings.Fields(r.stdout) {
		got = append(got, line[len(line)-1:])
	}
	if r.code != 0 || strings.Join(got, " ") != strings.Join(want, " ") {
		return fmt.Errorf("lines %q, want %q: exit %d, %s", got, want, r.code, r.stderr)
	}
	return nil
}

// stats waits until kubelet reports the memory and the processor time of all pods, from the shim.
func (c *suite) stats(t *testing.T, pods []kube.Pod) error {
	return await(t, "kubelet has statistics", func() (bool, error) {
		var summary struct {
			Pods []struct {
				PodRef     struct{ UID string }
				Containers []struct {
					Name   string
					Memory struct{ WorkingSetBytes uint64 }
					CPU    struct{ UsageCoreNanoSeconds *uint64 }
				}
			}
		}
		if err := c.Summary(t.Context(), &summary); err != nil {
			return false, err
		}
		found := 0
		for _, p := range pods {
			for _, s := range summary.Pods {
				if s.PodRef.UID == p.Metadata.UID && len(s.Containers) == 1 && s.Containers[0].Memory.WorkingSetBytes > 0 && s.Containers[0].CPU.UsageCoreNanoSeconds != nil {
					found++
				}
			}
		}
		text, _ := json.Marshal(summary) // for the error
		return found == len(pods), fmt.Errorf("%d of %d pods: %s", found, len(pods), text)
	})
}

// finishes lets the program of a Job end while its log is followed, and deletes the Job.
func (c *suite) finishes(t *testing.T, k kind, namespace, name, flag string) error {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	var log bytes.Buffer
	follow := c.Kubectl(ctx, "-n", namespace, "logs", "-f", name)
	follow.Stdout = &log
	if err := follow.Start(); err != nil {
		cancel()
		return err
	}
	defer func() {
		cancel()
		_ = follow.Wait() // the error of a second Wait says nothing
	}()
	if err := os.WriteFile(flag, nil, 0o644); err != nil {
		return err
	}
	if err := await(t, name+" succeeds", func() (bool, error) {
		pods, err := c.Pods(t.Context(), namespace, "")
		for i := range pods {
			if pods[i].Metadata.Name == name && succeeded(&pods[i]) {
				return true, nil
			}
		}
		return false, err
	}); err != nil {
		return err
	}
	if err := follow.Wait(); err != nil { // it ends with the log
		return fmt.Errorf("logs -f: %w", err)
	}
	if err := numbers(result{stdout: log.String()}, "0", "1", "2"); err != nil {
		return fmt.Errorf("logs -f: %w", err)
	}
	return c.stops(t, k, namespace)
}

// stops deletes a workload and waits until its pods are gone.
func (c *suite) stops(t *testing.T, k kind, namespace string) error {
	path := "apis/" + map[string]string{"jobs": "batch/v1", "cronjobs": "batch/v1"}[k.collection]
	switch k.collection {
	case "pods":
		path = "api/v1"
	case "deployments", "daemonsets", "statefulsets":
		path = "apis/apps/v1"
	}
	if err := c.Delete(t.Context(), path+"/namespaces/"+namespace+"/"+k.collection+"/test?propagationPolicy=Background"); err != nil {
		return err
	}
	return await(t, "its pods are gone", func() (bool, error) {
		pods, err := c.Pods(t.Context(), namespace, "")
		if err != nil {
			return false, err
		}
		return len(pods) == 0, errors.New(describe(pods))
	})
}
