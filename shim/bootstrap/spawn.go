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

// readyTimeout bounds the start of a new shim. Containerd's own bound on start is longer.
const readyTimeout = 10 * time.Second

// readyWord is what serve writes when the first client may connect. Any other text is the reason why none can.
const readyWord = "ready"

// spawn starts the long-lived process and returns once it accepts connections on p.socket. stop ends it.
func spawn(p Params) (stop func() error, err error) {
	nothing := func() error { return nil }
	exe, err := os.Executable()
	if err != nil {
		return nothing, fmt.Errorf("find the shim's executable: %w", err)
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
		_ = cmd.Process.Kill() // it may have ended by itself
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

// awaitReady reads the reply of the new process. The end of that process closes the pipe and ends the reading
// goroutine.
func awaitReady(ready io.Reader) error {
	replies := make(chan string, 1)
	go func() {
		data, _ := io.ReadAll(io.LimitReader(ready, 4096)) // a broken pipe is the end of the reply
		replies <- string(data)
	}()
	select {
	case reply := <-replies:
		switch reply {
		case readyWord:
			return nil
		case "":
			return fmt.Errorf("start the shim's process: it ended before it was ready: %w", errdefs.ErrUnavailable)
		}
		return fmt.Errorf("start the shim's process: %s: %w", reply, errdefs.ErrUnavailable)
	case <-time.After(readyTimeout):
		return fmt.Errorf("start the shim's process: not ready within %v: %w", readyTimeout, errdefs.ErrUnavailable)
	}
}

func kill(cmd *exec.Cmd) error {
	if err := cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill the shim's process: %w", err)
	}
	_ = cmd.Wait() // its status is that of the kill
	return nil
}
