package e2e

import (
	"strings"
	"testing"
)

// podUsers: a job container runs as the service account of its configuration.
func podUsers(t *testing.T, n *node) {
	for _, user := range []string{system, `NT AUTHORITY\Local Service`, `nt authority\network service`} {
		p := n.pod(t)
		p.Windows = hostProcess(user)
		delete(p.Annotations, "microsoft.com/hostprocess-inherit-user")
		pod := n.run(t, p)
		c := container("say", "0", "as asked")
		c.Windows, c.Annotations = hostProcess(user), nil
		id := n.start(t, pod, c, p)
		if s := n.exited(t, id).Status; s.ExitCode != 0 {
			t.Errorf("%s: %+v", user, s)
		}
		n.drop(t, pod)
	}
}

// podUserRefused: a missing account, and an account whose password is not known.
func podUserRefused(t *testing.T, n *node) {
	p := n.pod(t)
	delete(p.Annotations, "microsoft.com/hostprocess-inherit-user")
	pod := n.run(t, p)
	for _, user := range []string{"no-such-account", `NT AUTHORITY\nosuch`} {
		c := container("sleep", "600")
		c.Windows, c.Annotations = hostProcess(user), nil
		id := n.create(t, pod, c, p)
		n.refused(t, "user", "start", id)
		if s := n.exited(t, id).Status; s.ExitCode == 0 {
			t.Errorf("%s: %+v", user, s)
		}
	}
	n.drop(t, pod)
}

// podOfAnotherWindows: a job container uses the host's kernel, whichever Windows its image was made for.
func podOfAnotherWindows(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	c := container("print", "hello")
	c.Image.Image = otherImage
	id := n.start(t, pod, c, p)
	n.exited(t, id)
	if log := n.try(t, "logs", id).stdout; strings.TrimSpace(log) != "hello" {
		t.Errorf("the log is %q, want hello", log)
	}
	n.drop(t, pod)
}
