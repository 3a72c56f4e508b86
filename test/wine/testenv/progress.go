package testenv

import (
	"fmt"
	"io"
	"time"
)

// step runs one named piece of the set-up and tells out how long it takes: when it begins, every ten seconds while it
// lasts, and at its end.
func step(out io.Writer, name string, do func() error) error {
	begin := time.Now()
	elapsed := func() time.Duration { return time.Since(begin).Round(100 * time.Millisecond) }
	fmt.Fprintf(out, "wine: %s ...\n", name)
	ended := make(chan error, 1)
	go func() { ended <- do() }() // the loop below waits for it
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Fprintf(out, "wine: %s: done in %v\n", name, elapsed())
			return nil
		case <-ticker.C:
			fmt.Fprintf(out, "wine: %s ... %v\n", name, elapsed())
		}
	}
}
