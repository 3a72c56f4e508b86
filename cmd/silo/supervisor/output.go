package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// output hands the program's output on.
type output struct {
	process  jobobject.ProcessOptions
	pipe     *os.File // the program's end, ours to close
	finished chan error
}

func openOutput(o *Options) (*output, error) {
	out := &output{process: o.Process}
	if o.Output == nil {
		return out, nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the pipe of the output: %w", err)
	}
	out.process.Stdout, out.process.Stderr, out.pipe = write, write, write
	out.finished = make(chan error, 1)
	go func() { // ends when the last process that holds the pipe has; drain waits for it
		_, err := io.Copy(o.Output, read)
		if err != nil {
			// The program must not block on a log that cannot be written.
			_, _ = io.Copy(io.Discard, read)
			err = fmt.Errorf("write the output of the program: %w", err)
		}
		out.finished <- errors.Join(err, read.Close())
	}()
	return out, nil
}

// started gives up our copy of the program's end.
func (o *output) started() {
	if o.pipe != nil {
		_ = o.pipe.Close() // nothing was written through it
	}
}

// drainTime bounds the wait for output. Only a process that was let out of the job can still hold the pipe then.
const drainTime = 5 * time.Second

// drain waits until all output has been handed on. The job must be empty.
func (o *output) drain() error {
	if o.finished == nil {
		return nil
	}
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case err := <-o.finished:
		return err
	case <-timer.C:
		return nil
	}
}
