package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/siloshim/siloshim/cmd/silo/server"
)

// resources are what a dead process has written down of a container; then is done behind them.
func (a *App) resources(ctx context.Context, namespace, id, dir string, then func() error) leftover {
	return leftover{What: "resources", Name: namespace + "/" + id, Why: "its maker is gone", remove: func() error {
		if err := a.containers().Cleanup(ctx, namespace, id, dir); err != nil {
			return err
		}
		return then()
	}}
}

// bundlesDir is where containerd keeps bundles unless it is told otherwise.
func (a *App) bundlesDir() string {
	data := lookupEnv(a.Env, "ProgramData")
	if data == "" {
		return ""
	}
	return filepath.Join(data, "containerd", "state", "io.containerd.runtime.v2.task")
}

// deadBundles finds containers whose shim has died without giving back what it wrote down. containerd has that done
// when it starts; without containerd nobody does.
func (a *App) deadBundles(ctx context.Context, dir string) ([]leftover, error) {
	if dir == "" {
		if dir = a.bundlesDir(); dir == "" {
			return nil, nil
		}
	} else if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("--bundles: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", server.Ledger))
	if err != nil {
		return nil, fmt.Errorf("--bundles: %w", err)
	}
	var found []leftover
	for _, path := range paths {
		bundle := filepath.Dir(path)
		if shimLives(bundle) {
			continue
		}
		namespace, id := filepath.Base(filepath.Dir(bundle)), filepath.Base(bundle)
		found = append(found, a.resources(ctx, namespace, id, bundle, func() error { return nil }))
	}
	return found, nil
}

// deadAccounts finds the accounts of containers that are gone, and whose bundles may be.
func (a *App) deadAccounts() (found []leftover, err error) {
	orphans, err := a.containers().Orphans()
	for _, o := range orphans {
		found = append(found, leftover{What: "account", Name: o.Account, Why: "container " + o.Namespace + "/" + o.ID + " is gone", remove: func() error {
			return a.containers().Remove(o)
		}})
	}
	return found, err
}

// shimLives tells whether the shim of a bundle may be alive: somebody has its pipe, or nobody knows where that is.
func shimLives(bundle string) bool {
	text, err := os.ReadFile(filepath.Join(bundle, "address"))
	if err != nil {
		return true
	}
	pipe, err := os.OpenFile(strings.TrimSpace(string(text)), os.O_RDWR, 0)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	_ = pipe.Close() // the shim sees a caller that hangs up
	return true
}
