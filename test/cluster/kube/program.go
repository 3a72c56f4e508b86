package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// program is a Windows program that runs in the background, with a log.
type program struct {
	wine *testenv.Env
	name string
	log  string
	env  []string
	args []string

	mu      sync.Mutex // guards the fields below
	service bool       // it is started again when it exits by itself, as the service manager of a node does
	killed  bool
	group   *testenv.Group
	cmd     *exec.Cmd
	done    chan struct{} // closed when cmd has ended
}

// start runs the executable of the cache.
func (p *program) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = false
	return p.launch()
}

// launch is start, with the lock held.
func (p *program) launch() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the program has a duplicate
	exe := p.wine.WindowsPath(filepath.Join(cacheDir(p.wine.Root()), p.name+".exe"))
	cmd := p.wine.Command(context.Background(), exe, p.args...)
	cmd.Env = append(cmd.Env, p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	group := testenv.NewGroup()
	group.Add(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	done := make(chan struct{})
	p.group, p.cmd, p.done = group, cmd, done
	go func() { // ends with the program, which kill does
		_ = cmd.Wait() // the log has the reason of an exit
		close(done)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.service && !p.killed {
			_ = p.launch() // without the program what waits for it fails
		}
	}()
	return nil
}

// supervise makes a running program a service.
func (p *program) supervise() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.service = true
}

// kill ends the program at once and waits for its end.
func (p *program) kill() error {
	p.mu.Lock()
	p.killed = true
	group, cmd, done := p.group, p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	err := cmd.Process.Kill()
	<-done
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return errors.Join(err, group.Kill())
}

// exited is an error if the program has ended.
func (p *program) exited() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return fmt.Errorf("%s exited: %v; see %s", p.name, p.cmd.ProcessState, p.log)
	default:
		return nil
	}
}
