package command

import (
	"errors"
	"io"
	"os"

	"github.com/siloshim/siloshim/jobobject"
)

// pipes gives the program our streams: directly where they are files, and by a pipe where not. The function it returns
// waits for the end of the output; the program must have been started, or have failed to, by then.
func (a *App) pipes(o *jobobject.ProcessOptions) (drain func() error) {
	if a.connect(o) {
		return func() error { return nil }
	}
	read, write, err := os.Pipe()
	if err != nil {
		return func() error { return err }
	}
	o.Stdout, o.Stderr = write, write
	return func() error {
		// Ours is the last copy once the program has ended, so the read below comes to an end.
		err := write.Close()
		_, cerr := io.Copy(a.Stdout, read)
		return errors.Join(err, cerr, read.Close())
	}
}
