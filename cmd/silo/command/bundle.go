package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/ownership"
	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/internal/readlimit"
)

// resources is a leftover for the resources that a dead process has recorded for a container. then runs after their release.
func (a *App) resources(ctx context.Context, namespace, id, dir string, then func() error) leftover {
	return leftover{What: "resources", Name: namespace + "/" + id, Why: "its process has exited", remove: func() error {
		if err := ownership.CheckAll(dir); err != nil { // the record names what is released: accounts, volumes, systems
			return err
		}
		if err := a.containers().Cleanup(ctx, namespace, id, dir); err != nil {
			return err
		}
		return then()
	}}
}

// bundlesDir is the directory of bundles in containerd's default configuration.
func (a *App) bundlesDir() string {
	data := lookupEnv(a.Env, "ProgramData")
	if data == "" {
		return ""
	}
	return filepath.Join(data, "containerd", "state", "io.containerd.runtime.v2.task")
}

// deadBundles finds containers whose shim has exited without the release of its recorded resources. Containerd calls the
// shim's delete for them when it starts.
func (a *App) deadBundles(ctx context.Context, dir string) ([]leftover, error) {
	if dir == "" {
		if dir = a.bundlesDir(); dir == "" {
			return nil, nil
		}
	} else if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("--bundles: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", resource.File))
	if err != nil {
		return nil, fmt.Errorf("--bundles: %w", err)
	}
	var found []leftover
	for _, path := range paths {
		bundle := filepath.Dir(path)
		if mayRun(ctx, bundle) {
			continue
		}
		namespace, id := filepath.Base(filepath.Dir(bundle)), filepath.Base(bundle)
		found = append(found, a.resources(ctx, namespace, id, bundle, func() error { return nil }))
	}
	return found, nil
}

// deadAccounts finds the local accounts of containers that are gone.
func (a *App) deadAccounts() (found []leftover, err error) {
	orphans, err := a.containers().Orphans()
	for _, o := range orphans {
		found = append(found, leftover{What: "account", Name: o.Account, Why: "container " + o.Namespace + "/" + o.ID + " is gone", remove: func() error {
			return a.containers().Remove(o)
		}})
	}
	return found, err
}

// mayRun reports whether the shim of a bundle may run: its pipe exists, or its address is unknown.
func mayRun(ctx context.Context, bundle string) bool {
	text, err := readlimit.File(filepath.Join(bundle, "address"), readlimit.Text)
	if err != nil {
		return true
	}
	address := strings.TrimSpace(string(text))
	if !pipe.IsLocal(address) {
		return true
	}
	conn, err := pipe.Dial(ctx, address)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	_ = conn.Close() // the shim sees a client that disconnects
	return true
}
