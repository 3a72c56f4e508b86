package bootstrap

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/containerd/errdefs"
)

// readyTimeout is how long a new shim may take to answer. Containerd gives start more, but not for ever.
const readyTimeout = 10 * time.Second

// readyWord is what serve writes when the first client may connect. Anything else is why it cannot.
const readyWord = "ready"

// spawn starts the long-lived process and returns once it accepts connections on p.socket. stop ends it.
func spawn(p Params) (stop func() error, err error) {
	nothing := func() error { return nil }
	exe, err := os.Executable()
	if err != nil {
		return nothing, fmt.Errorf("find the shim's own program: %w", err)
	}
	ready, childReady, err := os.Pipe()
	if err != nil {
		return nothing, fmt.Errorf("make the ready pipe: %w", err)
	}
	defer ready.Close()

	cmd := exec.Command(exe, serveArgs(p)...)
	cmd.Dir = systemDir()
	cmd.Stdin = bytes.NewReader(p.stdin)
	cmd.Stdout = childReady
	cmd.SysProcAttr = detached()
	err = cmd.Start()
	childReady.Close()
	if err != nil {
		return nothing, fmt.Errorf("start the shim's process: %w", err)
	}
	if err := awaitReady(ready); err != nil {
		_ = cmd.Process.Kill() // it may have ended by itself: that is one of the reasons to be here
		_ = cmd.Wait()
		return nothing, err
	}
	return func() error { return kill(cmd) }, nil
}

func serveArgs(p Params) []string {
	args := []string{
		"-namespace", p.Namespace, "-address", p.GRPCAddress, "-id", p.ID,
		"-bundle", p.Bundle, "-socket", p.socket,
	}
	if p.PublishBinary != "" {
		args = append(args, "-publish-binary", p.PublishBinary)
	}
	if p.LogLevel == "debug" || p.LogLevel == "trace" {
		args = append(args, "-debug")
	}
	return append(args, "serve")
}

// awaitReady reads what the new process says. Its end closes the pipe too, so no other watch is needed. The
// reading goroutine ends with the process that it listens to.
func awaitReady(ready io.Reader) error {
	said := make(chan string, 1)
	go func() {
		data, _ := io.ReadAll(io.LimitReader(ready, 4096)) // a broken pipe is the end of what was said
		said <- string(data)
	}()
	select {
	case word := <-said:
		switch word {
		case readyWord:
			return nil
		case "":
			return fmt.Errorf("the shim's process ended before it was ready: %w", errdefs.ErrUnavailable)
		}
		return fmt.Errorf("the shim's process: %s: %w", word, errdefs.ErrUnavailable)
	case <-time.After(readyTimeout):
		return fmt.Errorf("the shim's process was not ready after %s: %w", readyTimeout, errdefs.ErrUnavailable)
	}
}

func kill(cmd *exec.Cmd) error {
	if err := cmd.Process.Kill(); err != nil {
		return fmt.Errorf("end the shim's process: %w", err)
	}
	_ = cmd.Wait() // it was killed: its status says nothing
	return nil
}
