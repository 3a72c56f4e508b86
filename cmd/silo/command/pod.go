package command

import (
	"strings"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/podinfo"
)

// podWidth is the width of a name of a pod in a table, in characters. --output wide does not shorten names.
const podWidth = 40

// podColumns are the columns of a table with containers, in the order of crictl ps. They are shown if a row has a pod.
func podColumns[T any](pod func(*T) *podinfo.Pod) []column[T] {
	var list []column[T]
	for _, c := range []struct {
		title string
		value func(*podinfo.Pod) string
	}{
		{"CONTAINER NAME", func(p *podinfo.Pod) string { return p.Container }},
		{"POD", func(p *podinfo.Pod) string { return p.Name }},
		{"NAMESPACE", func(p *podinfo.Pod) string { return p.Namespace }},
	} {
		list = append(list, column[T]{
			title: c.title, most: podWidth, shown: func(r *T) bool { return pod(r) != nil },
			value: func(r *T) string {
				if p := pod(r); p != nil && c.value(p) != "" {
					return c.value(p)
				}
				return none
			},
		})
	}
	return list
}

// podFields are the fields of --format for the pod of a row.
func podFields[T any](pod func(*T) *podinfo.Pod) []field[T] {
	value := func(of func(podinfo.Pod) string) func(*T) any {
		return func(r *T) any {
			if p := pod(r); p != nil {
				return of(*p)
			}
			return ""
		}
	}
	return []field[T]{
		{"ContainerName", value(func(p podinfo.Pod) string { return p.Container })},
		{"Pod", value(func(p podinfo.Pod) string { return p.Name })},
		{"PodNamespace", value(func(p podinfo.Pod) string { return p.Namespace })},
		{"PodUID", value(func(p podinfo.Pod) string { return p.UID })},
		{"Labels", func(r *T) any {
			var list []string
			labels := podLabels(pod(r))
			for _, key := range sortedKeys(labels) {
				list = append(list, key+"="+labels[key])
			}
			return strings.Join(list, ",")
		}},
	}
}

// podLabels are the labels of a container in containerd that tell its pod. Without a pod there are none.
//
// https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/kubelet/pkg/types/labels.go
func podLabels(p *podinfo.Pod) map[string]string {
	labels := map[string]string{}
	if p == nil {
		return labels
	}
	for key, value := range map[string]string{
		"io.cri-containerd.kind": p.Type, "io.kubernetes.pod.name": p.Name, "io.kubernetes.pod.namespace": p.Namespace,
		"io.kubernetes.pod.uid": p.UID, "io.kubernetes.container.name": p.Container,
	} {
		if value != "" {
			labels[key] = value
		}
	}
	return labels
}

// hasLabel reports whether a container has the label of a filter, which is KEY or KEY=VALUE.
func hasLabel(c node.Container, filter string) bool {
	key, value, valued := strings.Cut(filter, "=")
	is, has := podLabels(c.Pod)[key]
	return has && (!valued || is == value)
}

// inPod reports whether a container is in the pod of a filter, which is POD or NAMESPACE/POD.
func inPod(c node.Container, filter string) bool {
	if c.Pod == nil {
		return false
	}
	return filter == c.Pod.Name || filter == c.Pod.Namespace+"/"+c.Pod.Name
}

// shorten shortens a name to so many characters. The beginning and the end stay: that of a pod has its own characters at its end.
func shorten(text string, most int) string {
	const end = 11 // of the names of pods of a Deployment
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most-end-1]) + "…" + string(r[len(r)-end:])
}
