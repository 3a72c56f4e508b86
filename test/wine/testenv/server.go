package testenv

import (
	"context"
	"fmt"
	"strings"
)

// Debian's wine and wineserver commands are scripts. The first prints a hint about 32-bit Wine. The second makes the
// server exit with its last process, so that every start is slow. The programs that they start do neither.
const (
	wineLoader = "/usr/lib/wine/wine64"
	wineServer = "/usr/lib/wine/wineserver64"
)

// linger is how many seconds the server stays after its last process. It bounds the life of a server whose caller was
// killed, and it is longer than the time between two test binaries.
const linger = "-p180"

// startServer starts the wineserver and Wine's services, unless they run.
//
// The first process of a new server passes its standard output to those services. A reader of that output would then wait
// forever. So the first process has no standard streams. It sets the build of Windows, which a test that was killed may have
// left changed.
func (e *Env) startServer(ctx context.Context) error {
	users, err := takeLock(e.path("users.lock"), true)
	if err != nil {
		return fmt.Errorf("start wineserver: %w", err)
	}
	starting, err := takeLock(e.path("server.lock"), false)
	if err != nil {
		_ = users.release()
		return fmt.Errorf("start wineserver: %w", err)
	}
	defer starting.release() //nolint:errcheck // the file has no content
	if !e.serverRuns(ctx) {
		err = e.quiet(ctx, wineServer, linger)
		if err == nil {
			err = e.quiet(ctx, wineLoader, "reg", "add", BuildKey, "/v", BuildValue, "/d", strings.Split(OSVersion, ".")[2], "/f")
		}
	}
	if err != nil {
		_ = users.release()
		return fmt.Errorf("start wineserver: %w", err)
	}
	e.users = users
	return nil
}

// serverRuns reports whether the prefix has a server. Signal 0 finds the server and does nothing to it.
func (e *Env) serverRuns(ctx context.Context) bool {
	return e.quiet(ctx, wineServer, "-k0") == nil
}

// Stop ends the wineserver of the test environment around the working directory, if it runs, and all its processes.
func Stop(ctx context.Context) error {
	e, err := locate()
	if err != nil {
		return err
	}
	return e.Stop(ctx)
}

// Stop ends the wineserver of this prefix and all its processes, also those of other callers, and waits for their end.
func (e *Env) Stop(ctx context.Context) error {
	if !e.serverRuns(ctx) {
		return nil
	}
	if err := e.quiet(ctx, wineServer, "-k"); err != nil {
		return fmt.Errorf("stop wineserver: %w", err)
	}
	if err := e.quiet(ctx, wineServer, "-w"); err != nil {
		return fmt.Errorf("wait for wineserver: %w", err)
	}
	return nil
}

// StopIfLast does what [Env.Stop] does, unless another process has the Env open. It reports whether it stopped.
func (e *Env) StopIfLast(ctx context.Context) (bool, error) {
	if !e.users.upgrade() {
		return false, nil
	}
	return true, e.Stop(ctx)
}

// quiet runs a program in the prefix without standard streams.
func (e *Env) quiet(ctx context.Context, name string, args ...string) error {
	cmd := command(ctx, name, args...)
	cmd.Env = e.environ()
	return cmd.Run()
}
