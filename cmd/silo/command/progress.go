package command

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// progressInterval is the time after which work is worth a line, and between two changes of the line.
const progressInterval = time.Second

// progress shows on stderr what silo does and since when, if it takes longer than [progressInterval] and stderr is a terminal.
// done removes the line; call it before anything else is printed.
func (a *App) progress(what string) (done func()) {
	if _, _, ok := a.terminal(a.Stderr); !ok {
		return func() {}
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(ended)
		tick := time.NewTicker(progressInterval)
		defer tick.Stop()
		shown := 0
		for seconds := 1; ; seconds++ {
			select {
			case <-tick.C:
				// A line that wraps could not be removed.
				columns, _, _ := a.terminal(a.Stderr)
				line := cut(fmt.Sprintf("silo: %s ... %ds", printable(what), seconds), max(columns-1, 20))
				fmt.Fprint(a.Stderr, "\r"+line)
				shown = max(shown, len(line))
			case <-stop:
				if shown > 0 {
					fmt.Fprint(a.Stderr, "\r"+strings.Repeat(" ", shown)+"\r")
				}
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(stop); <-ended })
}
