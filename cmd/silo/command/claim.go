package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

// claim keeps the name of a container of ours from everybody else. The context it returns ends with ctx and when
// somebody asks for the container's stop, which asked hears of before.
func (a *App) claim(ctx context.Context, name string, asked func()) (context.Context, func(), error) {
	requested, unlisten, err := node.ListenStop(name)
	if errors.Is(err, jobobject.ErrExist) {
		return nil, nil, fmt.Errorf("a container called %s is running: choose another --name, or silo stop %s", name, name)
	}
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends with ctx
		select {
		case <-requested:
			asked()
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); unlisten() }, nil
}
