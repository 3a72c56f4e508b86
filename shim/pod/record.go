package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// musterPrefix begins the names of the files in a sandbox's bundle that each name the bundle of a workload. Containerd
// 2.3 calls `delete` for the sandbox alone when a shim has died, so the sandbox has to know whom else to look after.
const musterPrefix = "silo-workload-"

// record notes a workload in the sandbox's bundle.
func (p *pod) record(id, bundle string) error {
	if err := os.WriteFile(filepath.Join(p.bundle, musterPrefix+id), []byte(bundle), 0o600); err != nil {
		return fmt.Errorf("note the workload in the bundle of sandbox %s: %w", p.id, err)
	}
	return nil
}

// forget undoes record. The bundle may be gone: the sandbox may go first.
func (p *pod) forget(id string) error {
	err := os.Remove(filepath.Join(p.bundle, musterPrefix+id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// forget has a task not cleaned up with its pod any more. If it is the sandbox, that holds for all that outlive it:
// containerd calls `delete` after a delete in order, too.
func (s *Service) forget(id string) {
	s.mu.Lock()
	p, ids := s.pod, []string{id}
	if p != nil && p.id == id {
		ids = slices.Collect(maps.Keys(s.tasks))
	}
	s.mu.Unlock()
	if p == nil {
		return
	}
	for _, id := range ids {
		if err := p.forget(id); err != nil {
			report(id)("forget the workload", err)
		}
	}
}

// Cleaner gives back what a dead shim has left of one container. It may find nothing, and may be called again.
type Cleaner interface {
	Cleanup(ctx context.Context, namespace, id, bundle string) error
}

// Cleanup gives back what a dead shim has left of a container and, if that is a sandbox, of the workloads in its pod.
func Cleanup(ctx context.Context, c Cleaner, namespace, id, bundle string) error {
	workloads, err := Workloads(bundle)
	results := make(chan error, len(workloads))
	for workload, at := range workloads {
		go func() { // ends with the clean-up, which ctx bounds
			err := c.Cleanup(ctx, namespace, workload, at)
			if err != nil {
				err = fmt.Errorf("workload %s: %w", workload, err)
			}
			results <- err
		}()
	}
	errs := []error{err, c.Cleanup(ctx, namespace, id, bundle)}
	for range workloads {
		errs = append(errs, <-results)
	}
	return errors.Join(errs...)
}

// Workloads reads which workloads the sandbox of a bundle had when its shim died: their bundles by their ids. There are
// none where there was no sandbox.
func Workloads(bundle string) (map[string]string, error) {
	entries, err := os.ReadDir(bundle)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the workloads of a sandbox: %w", err)
	}
	all := map[string]string{}
	for _, e := range entries {
		id, is := strings.CutPrefix(e.Name(), musterPrefix)
		if !is {
			continue
		}
		path, err := os.ReadFile(filepath.Join(bundle, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("list the workloads of a sandbox: %w", err)
		}
		all[id] = string(path)
	}
	return all, nil
}
