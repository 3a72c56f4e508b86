package pod

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

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/readlimit"
)

// recordPrefix begins the names of the workload records: files in the sandbox's bundle that each contain the bundle of a
// workload. If a shim has died containerd 2.3 calls `delete` for the sandbox alone, which then removes the workloads too.
const recordPrefix = "silo-workload-"

func (p *Pod) recordPath(id string) string { return filepath.Join(p.Bundle, recordPrefix+id) }

// record adds a workload that is being created, and writes its record.
func (p *Pod) record(id, bundle string) error {
	p.mu.Lock()
	p.workloads[id] = nil
	p.mu.Unlock()
	if err := os.WriteFile(p.recordPath(id), []byte(bundle), 0o600); err != nil {
		return fmt.Errorf("record the workload in the bundle of sandbox %s: %w", p.ID, err)
	}
	return nil
}

// RemoveRecord removes the record of a workload, if there is one. For the sandbox it removes those of all workloads that
// outlive it: containerd also calls `delete` after a sandbox was deleted without a failure.
func (p *Pod) RemoveRecord(id string) error {
	ids := []string{id}
	if id == p.ID {
		p.mu.Lock()
		ids = slices.Collect(maps.Keys(p.workloads))
		p.mu.Unlock()
	} else if plan.ValidID(id) != nil {
		return nil //nolint:nilerr // it has none, and its path would not be one in the bundle
	}
	var errs []error
	for _, id := range ids {
		if err := os.Remove(p.recordPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) { // the bundle may be gone
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Cleaner removes what the dead shim of one container has left. It may find nothing, and may be called again.
type Cleaner interface {
	Cleanup(ctx context.Context, namespace, id, bundle string) error
}

// Cleanup removes what a dead shim has left of a container and, if that is a sandbox, of the recorded workloads. It goes on
// after a failure.
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

// Workloads reads the workload records of a sandbox's bundle: the workloads' bundles by their ids. Without a bundle or a
// record there are none.
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
		id, is := strings.CutPrefix(e.Name(), recordPrefix)
		if !is {
			continue
		}
		path, err := readlimit.File(filepath.Join(bundle, e.Name()), readlimit.Text)
		if err != nil {
			return nil, fmt.Errorf("list the workloads of a sandbox: %w", err)
		}
		all[id] = string(path)
	}
	return all, nil
}
