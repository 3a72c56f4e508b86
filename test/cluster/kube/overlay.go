package kube

// SiloImage is the image of the manifests in deploy/, and PayloadImage that of the tests. No registry has them: the node
// imports them.
const (
	SiloImage    = "registry.example/silo:v1"
	PayloadImage = "test.invalid/payload:1"
)

// overlay changes deploy/kubernetes for a cluster on the loopback address: silo metrics listens there on a free port, and the
// installer does not restart containerd, which is not a service here. It takes the directory and the port.
const overlay = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [%[1]s]
images: [{name: registry.example/silo, newTag: v1}]
patches:
- target: {kind: DaemonSet, name: silo-metrics}
  patch: |
    - {op: replace, path: /spec/template/spec/containers/0/args, value: [metrics, --listen, '127.0.0.1:%[2]s']}
    - {op: replace, path: /spec/template/spec/containers/0/ports, value: [{name: metrics, containerPort: %[2]s, hostPort: %[2]s}]}
    - {op: replace, path: /spec/template/spec/containers/0/readinessProbe/httpGet/host, value: 127.0.0.1}
- target: {kind: DaemonSet, name: silo-install}
  patch: |
    - {op: replace, path: /spec/template/spec/containers/0/args, value: [install, --edit, --prefix, 'C:\Program Files\containerd', --wait, --remove-on-exit]}
`
