package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
)

// followInterval is the time between two reads of a log that is followed.
const followInterval = 250 * time.Millisecond

func (a *App) logsCommand() *cobra.Command {
	var follow bool
	var tail int
	c := &cobra.Command{
		Use:   "logs container",
		Short: "Print the output of a container of silo run",
		Long: `Logs prints the file that silo run --log or --detach writes, also after the container has exited. Rotated files are in
the same directory. The output of containers of the shim is read through containerd.`,
		Example: "  silo logs -f -n 20 web",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.logs(c.Context(), args[0], follow, tail) },
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "print new output until the container has exited")
	c.Flags().IntVarP(&tail, "tail", "n", -1, "number of lines to print from the end; -1 is all")
	return c
}

func (a *App) logs(ctx context.Context, id string, follow bool, tail int) error {
	record, err := a.Node.Records.Read(strings.TrimPrefix(id, node.Own+"/"))
	if err != nil {
		return err
	}
	if record.Log == "" {
		return fmt.Errorf("print the log of %s: it writes none; start it with silo run --log or --detach", id)
	}
	file, err := openShared(record.Log)
	if errors.Is(err, os.ErrNotExist) && !follow {
		return nil // it has printed nothing so far
	}
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", id, err)
	}
	defer file.Close() // it was only read
	text, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("read the log of %s: %w", id, err)
	}
	if _, err := a.Stdout.Write(lastLines(text, tail)); err != nil || !follow {
		return err
	}
	return a.follow(ctx, id, file)
}

// follow copies what is added until the container has ended. A rotation ends the file it reads; the new one is taken up
// from its beginning.
func (a *App) follow(ctx context.Context, id string, file *os.File) error {
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	for {
		_, err := a.Node.Find(node.Own + "/" + id)
		ended := errors.Is(err, node.ErrNotFound)
		// Read after the query, so that output before the exit is not missed.
		if _, err := io.Copy(a.Stdout, file); err != nil {
			return fmt.Errorf("read the log of %s: %w", id, err)
		}
		if ended {
			return nil
		}
		next, err := rotated(file)
		if err != nil {
			return err
		}
		if next != nil {
			defer next.Close() // it was only read
			file = next
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// rotated opens the file that has replaced this one, or returns nil.
func rotated(file *os.File) (*os.File, error) {
	next, err := openShared(file.Name())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // between the two
	}
	if err != nil {
		return nil, err
	}
	was, err1 := file.Stat()
	is, err2 := next.Stat()
	if err := errors.Join(err1, err2); err != nil || os.SameFile(was, is) {
		return nil, errors.Join(err, next.Close())
	}
	return next, nil
}

// lastLines returns the last n lines of a text; all of it if n is negative.
func lastLines(text []byte, n int) []byte {
	if n < 0 {
		return text
	}
	at := len(bytes.TrimSuffix(text, []byte("\n")))
	for ; n > 0; n-- {
		i := bytes.LastIndexByte(text[:at], '\n')
		if i < 0 {
			return text
		}
		at = i
	}
	return text[min(at+1, len(text)):]
}
