package suite

import (
	"maps"
	"strconv"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/workload"
)

// object is a part of a manifest.
type object = map[string]any

// podSpec is a HostProcess pod of a handler.
func podSpec(handler string, containers ...object) object {
	return object{
		"runtimeClassName": handler, "hostNetwork": true, "terminationGracePeriodSeconds": 10,
		"automountServiceAccountToken": false, "enableServiceLinks": false,
		"securityContext": object{"windowsOptions": object{"hostProcess": true, "runAsUserName": `NT AUTHORITY\SYSTEM`}},
		"containers":      containers,
	}
}

// isolatedSpec is a process-isolated pod of a handler. Its containers run the payload.
func isolatedSpec(handler string, containers ...object) object {
	spec := podSpec(handler, containers...)
	delete(spec, "hostNetwork")
	delete(spec, "securityContext")
	for _, c := range containers {
		c["command"] = []string{workload.Payload}
	}
	return spec
}

// with returns an object with other fields as well.
func with(o, more object) object {
	all := maps.Clone(o)
	maps.Copy(all, more)
	return all
}

// payload is a container that runs the payload of the tests.
func payload(name string, args ...string) object {
	return object{
		"name": name, "image": kube.PayloadImage, "args": args,
		"resources": object{"requests": object{"cpu": "5m", "memory": "8Mi"}, "limits": object{"cpu": "500m", "memory": "128Mi"}},
	}
}

// execProbe runs the payload in the container; it succeeds with exit code 0.
func execProbe(args ...string) object {
	return object{"exec": object{"command": append([]string{workload.Payload}, args...)}, "periodSeconds": 2, "timeoutSeconds": 60, "failureThreshold": 30}
}

// pod is a pod in a namespace.
func pod(name string, spec object) object {
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name}, "spec": spec}
}

// template is the template of pods that a controller makes.
func template(spec object) object {
	return object{"metadata": object{"labels": object{"app": "test"}}, "spec": spec}
}

// controlled is the specification of a controller with a selector.
func controlled(spec, more object) object {
	return with(object{"selector": object{"matchLabels": object{"app": "test"}}, "template": template(spec)}, more)
}

// number is a port as a number: as a string it would be a name.
func number(t *testing.T, port string) int {
	t.Helper()
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
