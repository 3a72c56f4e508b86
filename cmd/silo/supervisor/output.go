package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// output carries the streams of one process. It implements [container.Streams].
type output struct {
	stdin          *os.File
	stdout, stderr io.Writer
	pipes          []*os.File // the program's ends, to be closed when it has started
	copied         chan error // has a value for each copy that has ended
	copies         int
}

// newOutput makes the streams of one process, see [Options].
func newOutput(stdin *os.File, stdout, stderr io.Writer) *output {
	return &output{stdin: stdin, stdout: stdout, stderr: stderr, copied: make(chan error, 2)}
}

// Wanted implements [container.Streams].
func (o *output) Wanted() (stdin, stdout, stderr bool) {
	return o.stdin != nil, o.stdout != nil, o.stdout != nil || o.stderr != nil
}

// Pipes implements [container.Streams]: it returns the files themselves, and pipes to the other writers.
func (o *output) Pipes() (stdin, stdout, stderr *os.File, err error) {
	if stdout, err = o.end(o.stdout); err != nil {
		return nil, nil, nil, err
	}
	if o.stderr == nil {
		return o.stdin, stdout, stdout, nil
	}
	stderr, err = o.end(o.stderr)
	return o.stdin, stdout, stderr, err
}

// end is the program's end of a stream.
func (o *output) end(to io.Writer) (*os.File, error) {
	if to == nil {
		return nil, nil
	}
	if file, ok := to.(*os.File); ok {
		return file, nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the pipe of the output: %w", err)
	}
	o.pipes = append(o.pipes, write)
	o.copy(to, read)
	return write, nil
}

// Use implements [container.Streams]. Nothing is written to stdin.
func (o *output) Use(stdin io.WriteCloser, stdout, stderr io.ReadCloser) {
	if stdin != nil {
		_ = stdin.Close() // nothing was written to it
	}
	if stdout != nil {
		o.copy(o.stdout, stdout)
	}
	if stderr != nil && o.stderr != nil {
		o.copy(o.stderr, stderr)
	} else if stderr != nil {
		o.copy(o.stdout, stderr)
	}
}

// copy copies a stream until its end, and closes it.
func (o *output) copy(to io.Writer, from io.ReadCloser) {
	if to == nil {
		to = io.Discard
	}
	o.copies++
	go func() { // ends when the last process that has the other end has; drain waits for it
		o.copied <- errors.Join(copyAll(to, from), from.Close())
	}()
}

// copyAll copies a stream to its end. A slow writer blocks the program. One that fails does not: what it did not take is
// counted, and it gets the later output.
func copyAll(to io.Writer, from io.Reader) error {
	buffer := make([]byte, 32<<10)
	lost := 0
	var failed error
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if written, werr := to.Write(buffer[:n]); werr != nil {
				lost, failed = lost+n-written, werr
			}
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("read the output of the program: %w", err)
		case failed != nil:
			return fmt.Errorf("write the output of the program: %d bytes were lost: %w", lost, failed)
		}
		return nil
	}
}

// started closes the program's ends of the pipes.
func (o *output) started() {
	for _, pipe := range o.pipes {
		_ = pipe.Close() // nothing was written through it
	}
}

// drainTimeout bounds the wait for output. Only a process outside of the container can still have the pipe then.
const drainTimeout = 5 * time.Second

// drain waits until all output has been copied. No process of the container may be left.
func (o *output) drain() (err error) {
	timer := time.NewTimer(drainTimeout)
	defer timer.Stop()
	for range o.copies {
		select {
		case cerr := <-o.copied:
			err = errors.Join(err, cerr)
		case <-timer.C:
			return err
		}
	}
	return err
}
