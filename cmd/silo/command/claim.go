package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/cmd/silo/wcow"
	"github.com/siloshim/siloshim/internal/ownership"
	"github.com/siloshim/siloshim/internal/readlimit"
	"github.com/siloshim/siloshim/jobobject"
)

// claim reserves the name of a container of silo run. The context it returns ends with ctx, and on a request to stop the
// container after onStop has returned; then its cause is the [supervisor.Stop] of the request.
func (a *App) claim(ctx context.Context, name string, onStop func()) (context.Context, func(), error) {
	requested, unlisten, err := node.ListenStop(name)
	if errors.Is(err, jobobject.ErrExist) {
		return nil, nil, fmt.Errorf("start container %s: its name is in use; choose another --name, or run silo stop %s", name, name)
	}
	if err != nil {
		return nil, nil, err
	}
	file := a.stopFile(name)
	err = a.Node.Records.Owned(name)
	if errors.Is(err, ownership.ErrForeign) {
		err = fmt.Errorf("%w; or choose another --name", err)
	} else {
		err = removeStop(file) // without access to the directories there may be none
	}
	if err != nil {
		unlisten()
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() { // ends with ctx
		select {
		case <-requested:
			request := readStop(file)
			onStop()
			cancel(request)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); unlisten() }, nil
}

// stopFile has the signals and the grace period of a request to stop a container. It is written before the event is set
// that tells the supervisor of the request.
func (a *App) stopFile(name string) string {
	return filepath.Join(a.Node.Records.Path(name), "stop.json")
}

// readStop reads a request to stop a container. One without a file has the signals of silo run, and so has one that cannot
// be read.
func readStop(file string) *supervisor.Stop {
	text, err := readlimit.File(file, readlimit.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return new(supervisor.Stop)
	}
	request := new(supervisor.Stop)
	if err == nil {
		err = json.Unmarshal(text, request)
	}
	if err == nil {
		err = request.Check()
	}
	if err != nil {
		return &supervisor.Stop{Err: fmt.Errorf("read the request to stop: %w; the signals and the grace period of silo run are used", err)}
	}
	return request
}

// removeStop removes an old request to stop, if there is one. The directory may be missing or out of reach.
func removeStop(file string) error {
	err := os.Remove(file)
	if err == nil {
		return nil
	}
	if _, there := os.Lstat(file); there != nil {
		return nil //nolint:nilerr // there is none
	}
	return fmt.Errorf("remove an old request to stop: %w", err)
}

// requestStop makes the supervisor of a container stop it. It returns [node.ErrNotFound] where there is no supervisor.
func (a *App) requestStop(name string, request supervisor.Stop) error {
	file := a.stopFile(name)
	if request.Signals == nil && request.Grace == nil {
		if err := removeStop(file); err != nil {
			return err
		}
		return node.RequestStop(name)
	}
	text, err := json.Marshal(request)
	if err == nil {
		err = a.Node.Records.Owned(name)
	}
	if err != nil {
		return fmt.Errorf("write the request to stop %s: %w; without --grace and --signal none is needed", name, err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("write the request to stop %s: %w; without --grace and --signal none is needed", name, err)
	}
	return node.RequestStop(name)
}

// replace removes the output of the ended container that had this name before, unless the new one goes on with it. A log
// that --log names is kept.
func (a *App) replace(p *runPlan) error {
	dir := a.Node.Records.Path(p.name)
	if wcow.Left(dir) {
		return fmt.Errorf("the earlier container %s has left something behind: silo cleanup --yes removes it", p.name)
	}
	if p.keepLog || p.log.path != a.outputFile(p.name) && filepath.Dir(p.log.path) == dir {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the directory of %s: %w", p.name, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "output") {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("remove the output of the earlier container %s: %w", p.name, err)
		}
	}
	return nil
}

// outputFile is the log of a detached container without --log.
func (a *App) outputFile(name string) string {
	return filepath.Join(a.Node.Records.Path(name), "output.log")
}
