package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// metadata names a pod or a container.
type metadata struct {
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Attempt   int    `json:"attempt"`
}

// security is the Windows part of a configuration.
type security struct {
	Context struct {
		HostProcess bool   `json:"host_process"`
		User        string `json:"run_as_username"`
	} `json:"security_context"`
}

// podConfig is a PodSandboxConfig as crictl reads it.
type podConfig struct {
	Metadata     metadata          `json:"metadata"`
	LogDirectory string            `json:"log_directory"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	Windows      security          `json:"windows"`

	logs string // the Unix path of LogDirectory
}

// pair is a variable of an environment.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// mount is a volume of a container.
type mount struct {
	ContainerPath string `json:"container_path"`
	HostPath      string `json:"host_path"`
	Readonly      bool   `json:"readonly"`
}

// containerConfig is a ContainerConfig as crictl reads it.
type containerConfig struct {
	Metadata metadata `json:"metadata"`
	Image    struct {
		Image string `json:"image"`
	} `json:"image"`
	Command     []string          `json:"command,omitempty"`
	Args        []string          `json:"args,omitempty"`
	WorkingDir  string            `json:"working_dir,omitempty"`
	Envs        []pair            `json:"envs,omitempty"`
	Mounts      []mount           `json:"mounts,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	LogPath     string            `json:"log_path"`
	Stdin       bool              `json:"stdin"`
	StdinOnce   bool              `json:"stdin_once"`
	Windows     security          `json:"windows"`
}

// system is the user of most tests: it needs no logon.
const system = `NT AUTHORITY\SYSTEM`

// hostProcess is the security of a job container.
func hostProcess(user string) (s security) {
	s.Context.HostProcess, s.Context.User = true, user
	return s
}

// inherit lets a job container run as the shim's user, which needs no logon on Wine.
var inherit = map[string]string{"microsoft.com/hostprocess-inherit-user": "true"}

// pod describes a HostProcess pod with a log directory.
func (n *node) pod(t *testing.T) *podConfig {
	t.Helper()
	p := &podConfig{
		Metadata:    metadata{Name: newID(), UID: newID(), Namespace: "default", Attempt: 1},
		Annotations: maps.Clone(inherit), Labels: map[string]string{},
		Windows: hostProcess(system),
	}
	p.logs = filepath.Join(n.dir, p.Metadata.Name)
	p.LogDirectory = n.wine.WindowsPath(p.logs)
	if err := os.Mkdir(p.logs, 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

// container describes a container whose program is the payload with these arguments.
func container(args ...string) *containerConfig {
	c := &containerConfig{Metadata: metadata{Name: newID(), Attempt: 1}, Windows: hostProcess(system)}
	c.Image.Image = image
	c.Command = append([]string{workload.Payload}, args...)
	c.LogPath = c.Metadata.Name + ".log"
	c.Annotations = maps.Clone(inherit)
	return c
}

// run starts a pod.
func (n *node) run(t *testing.T, p *podConfig) (id string) {
	t.Helper()
	return n.crictl(t, "runp", "--runtime", n.handler, n.document(t, p))
}

// drop removes a pod with its containers.
func (n *node) drop(t *testing.T, id string) {
	t.Helper()
	n.crictl(t, "rmp", "--force", id)
}

// create creates a container.
func (n *node) create(t *testing.T, pod string, c *containerConfig, p *podConfig) (id string) {
	t.Helper()
	return n.crictl(t, "create", pod, n.document(t, c), n.document(t, p))
}

// start creates a container and starts it.
func (n *node) start(t *testing.T, pod string, c *containerConfig, p *podConfig) (id string) {
	t.Helper()
	id = n.create(t, pod, c, p)
	n.crictl(t, "start", id)
	return id
}
