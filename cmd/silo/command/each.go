package command

import (
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/cmd/silo/node"
)

// codeSome is the exit code of a verb that has failed for some of the containers named.
const codeSome = 1

// each calls act for every running container named, see [App.eachName].
func (a *App) each(refs []string, act func(node.Container) error) error {
	return a.eachName(refs, func(ref string) (string, error) {
		c, err := a.Node.Find(ref)
		if errors.Is(err, node.ErrNotFound) {
			if ended, ok := a.Node.Ended(ref); ok {
				return "", fmt.Errorf("container %s is not running: it has exited", ended.Name())
			}
		}
		if err != nil {
			return "", err
		}
		return c.Name(), act(c)
	})
}

// eachName calls act for every name. It prints the containers of those that succeeded, which act returns, and the error of
// each other one. The exit code is then [codeSome].
func (a *App) eachName(refs []string, act func(ref string) (name string, err error)) error {
	failed := false
	for _, ref := range refs {
		name, err := act(ref)
		if err != nil {
			failed = true
			fmt.Fprintf(a.Stderr, "silo: %s\n", printable(oneLine(err)))
			continue
		}
		fmt.Fprintln(a.Stdout, printable(name))
	}
	if failed {
		return exit(codeSome)
	}
	return nil
}
