//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// The server is the process that has started the cluster, and stops it at its end. These are its files below the module.
const (
	pidFile   = ".bed/run/cluster.pid" // exists while a server runs
	readyFile = ".bed/run/cluster.ready"
	logFile   = ".bed/run/cluster.log"
)

// serve starts the cluster and applies deploy/kubernetes. At a signal it deletes the workloads and stops the cluster.
func serve(ctx context.Context, wine *testenv.Env) (err error) {
	pid, ready := filepath.Join(wine.Root(), pidFile), filepath.Join(wine.Root(), readyFile)
	if err := os.WriteFile(pid, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return err
	}
	defer os.Remove(pid) //nolint:errcheck // it was written above
	cluster, err := kube.Start(ctx, wine)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, os.RemoveAll(ready), cluster.Stop(), os.RemoveAll(kube.Dir(wine.Root())))
	}()
	if err := cluster.Apply(ctx); err != nil {
		return err
	}
	stop, err := cluster.StartMetrics(ctx)
	if err != nil && !errors.Is(err, kube.ErrNotBuilt) {
		return err
	}
	if stop != nil {
		defer func() { err = errors.Join(err, stop(context.WithoutCancel(ctx))) }()
	}
	if err := os.WriteFile(ready, nil, 0o644); err != nil {
		return err
	}
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer cancel()
	return cluster.Drain(drain)
}

// running returns the pid of the server, or 0.
func running(wine *testenv.Env) int {
	text, err := os.ReadFile(filepath.Join(wine.Root(), pidFile))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil || syscall.Kill(pid, 0) != nil {
		return 0
	}
	return pid
}

// up starts the server and waits until the cluster is ready.
func up(ctx context.Context, wine *testenv.Env) error {
	if err := kube.Built(wine.Root()); err != nil {
		return err
	}
	if running(wine) != 0 {
		fmt.Println("cluster: it runs already")
		return nil
	}
	ready := filepath.Join(wine.Root(), readyFile)
	if err := os.RemoveAll(ready); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(wine.Root(), filepath.Dir(logFile)), 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(wine.Root(), logFile))
	if err != nil {
		return err
	}
	defer log.Close() // the server has a duplicate
	self, err := os.Executable()
	if err != nil {
		return err
	}
	begin := time.Now()
	cmd := exec.Command(self, "serve") // it outlives this process
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { // ends with this process, too
		defer close(ended)
		_ = cmd.Wait() // the log has the reason
	}()
	fmt.Println("cluster: starting etcd, the control plane and the node")
	err = kube.Until(ctx, "the cluster is ready", func() (bool, error) {
		select {
		case <-ended:
			return true, nil
		default:
		}
		_, err := os.Stat(ready)
		return err == nil, err
	})
	if err != nil {
		return errors.Join(err, down(context.WithoutCancel(ctx), wine))
	}
	if _, err := os.Stat(ready); err != nil {
		text, _ := os.ReadFile(log.Name()) // empty if it cannot be read
		return fmt.Errorf("start the cluster: %s", strings.TrimSpace(string(text)))
	}
	fmt.Printf("cluster: ready after %v\n", time.Since(begin).Round(time.Second))
	return nil
}

// down ends the server and waits for its end. Without a server it ends what an earlier one may have left.
func down(ctx context.Context, wine *testenv.Env) error {
	pid := running(wine)
	if pid == 0 {
		fmt.Println("cluster: it does not run")
		return errors.Join(wine.Stop(ctx), os.RemoveAll(kube.Dir(wine.Root())), os.RemoveAll(filepath.Join(wine.Root(), readyFile)))
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	begin := time.Now()
	if err := kube.Until(ctx, "the cluster has stopped", func() (bool, error) { return running(wine) == 0, nil }); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(wine.Root(), logFile))
	if err == nil && len(text) > 0 {
		return fmt.Errorf("stop the cluster: %s", strings.TrimSpace(string(text)))
	}
	fmt.Printf("cluster: stopped after %v\n", time.Since(begin).Round(time.Second))
	_, stopErr := wine.StopIfLast(ctx)
	return errors.Join(err, stopErr, os.Remove(filepath.Join(wine.Root(), logFile)))
}
