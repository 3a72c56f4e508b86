package testenv

import (
	"context"
	"fmt"
)

// Debian's wine and wineserver commands are scripts: the first prints a hint about 32-bit Wine, the second makes the
// server leave with its last process, so that every start is a cold one. The programs behind them do neither.
const (
	wineLoader = "/usr/lib/wine/wine64"
	wineServer = "/usr/lib/wine/wineserver64"
)

// linger is how many seconds the server stays after its last process. It makes up for a caller that was killed before
// it could stop the server, and it is long enough to bridge the pauses between test binaries.
const linger = "-p180"

// startServer brings the wineserver up, and Wine's own services with it, unless they are.
//
// Whatever process first meets a fresh server hands its standard output to those services, and whoever waits for that
// output to end then waits for ever. So the first process is a dummy of ours with nothing to hand on.
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
	defer starting.release() //nolint:errcheck // a lock on a file that nobody reads or writes
	if !e.serverRuns(ctx) {
		err = e.quiet(ctx, wineServer, linger)
		if err == nil {
			err = e.quiet(ctx, wineLoader, "cmd", "/c", "exit")
		}
	}
	if err != nil {
		_ = users.release()
		return fmt.Errorf("start wineserver: %w", err)
	}
	e.users = users
	return nil
}

// serverRuns asks whether a server owns the prefix: signal 0 finds it and does nothing to it.
func (e *Env) serverRuns(ctx context.Context) bool {
	return e.quiet(ctx, wineServer, "-k0") == nil
}

// Stop ends the wineserver of the test environment around the working directory, if it runs, and every process in it.
func Stop(ctx context.Context) error {
	e, err := locate()
	if err != nil {
		return err
	}
	return e.Stop(ctx)
}

// Stop ends the wineserver of this prefix and every process in it, whoever started them, and waits for their end.
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

// StopIfLast does what [Env.Stop] does, unless another process has the test environment open. It reports whether it stopped.
func (e *Env) StopIfLast(ctx context.Context) (bool, error) {
	if !e.users.upgrade() {
		return false, nil
	}
	return true, e.Stop(ctx)
}

// quiet runs a program in the test environment's environment with nothing on its standard streams.
func (e *Env) quiet(ctx context.Context, name string, args ...string) error {
	cmd := command(ctx, name, args...)
	cmd.Env = e.environ()
	return cmd.Run()
}
