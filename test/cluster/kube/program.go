package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// program is a Windows program that runs in the background, with a log.
type program struct {
	wine *testenv.Env
	name string
	log  string
	env  []string
	args []string

	group *testenv.Group
	cmd   *exec.Cmd
	done  chan struct{} // closed when cmd has ended
}

// start runs the executable of the cache.
func (p *program) start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the program has a duplicate
	exe := p.wine.WindowsPath(filepath.Join(cacheDir(p.wine.Root()), p.name+".exe"))
	cmd := p.wine.Command(context.Background(), exe, p.args...)
	cmd.Env = append(cmd.Env, p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	p.group = testenv.NewGroup()
	p.group.Add(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() { // ends with the program, which kill does
		defer close(done)
		_ = cmd.Wait() // the log has the reason of an exit
	}()
	return nil
}

// kill ends the program at once and waits for its end.
func (p *program) kill() error {
	if p.cmd == nil {
		return nil
	}
	err := p.cmd.Process.Kill()
	<-p.done
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return errors.Join(err, p.group.Kill())
}

// exited is an error if the program has ended.
func (p *program) exited() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s exited: %v; see %s", p.name, p.cmd.ProcessState, p.log)
	default:
		return nil
	}
}
