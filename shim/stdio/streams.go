package stdio

import (
	"fmt"
	"io"
	"os"
)

// Wanted tells which streams the client has connected. A terminal's stderr is its stdout.
func (r *Relay) Wanted() (stdin, stdout, stderr bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stdin = r.input != nil
	for _, o := range r.output {
		stdout, stderr = stdout || o.name == fieldStdout, stderr || o.name == fieldStderr
	}
	return stdin, stdout, stderr
}

// Pipes makes a pipe for each stream that the client has connected and returns the program's ends, nil for the others and all
// nil with a terminal or after [Relay.Start]. The relay owns them and closes them in Start or Close: the caller lets the
// program inherit them and must not close them. They are not inheritable by themselves. A second call returns the same.
func (r *Relay) Pipes() (stdin, stdout, stderr *os.File, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.child == [3]*os.File{} && !r.terminal && !r.started && !r.closed {
		if err := r.makePipesLocked(); err != nil {
			r.closeChildLocked()
			return nil, nil, nil, err
		}
	}
	return r.child[0], r.child[1], r.child[2], nil
}

// makePipesLocked makes the pipe between the relay and the program for each stream. r.mu must be held.
func (r *Relay) makePipesLocked() error {
	if r.input != nil {
		ours, theirs, err := inputPipe()
		if err != nil {
			return fmt.Errorf("make pipe for stdin: %w", err)
		}
		r.child[0] = theirs
		r.input.use(ours, false)
	}
	for _, o := range r.output {
		ours, theirs, err := outputPipe()
		if err != nil {
			return fmt.Errorf("make pipe for %s: %w", o.name, err)
		}
		r.child[map[string]int{fieldStdout: 1, fieldStderr: 2}[o.name]] = theirs
		o.use(ours)
	}
	return nil
}

// Use carries streams whose other ends are elsewhere, in place of the pipes of [Relay.Pipes]: those of a pseudo
// console, or of a process that a service made. The relay owns them from here on. A nil stream is none. It must be called
// before [Relay.Start]. Closing stdin is to end the program's input.
//
// With a terminal the input stays open until [Relay.Close]: a console whose input closes hangs up on its programs, and a
// terminal without a client must go on running. A console reports the end of its output only after it was closed, so the
// caller begins to close the console before it calls [Relay.Drain]. That may take until the output was read to its end:
// the relay reads it whatever happens, also when it was never started.
func (r *Relay) Use(stdin io.WriteCloser, stdout, stderr io.ReadCloser) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started || r.closed {
		closeStreams(stdin, stderr)
		if r.terminal && stdout != nil {
			go discardConsole(stdout) // ends with the console
		} else {
			closeStreams(stdout)
		}
		return
	}
	if r.input == nil && stdin != nil && r.terminal {
		r.input = newInput(nil, nil) // without a client
	}
	if r.input != nil && stdin != nil {
		r.input.use(stdin, r.terminal)
	} else {
		closeStreams(stdin)
	}
	r.useOutput(fieldStdout, stdout)
	r.useOutput(fieldStderr, stderr)
}

// useOutput sets the source of an output. A stream that no client has connected is read and discarded: a program whose
// output is not read stops.
func (r *Relay) useOutput(name string, src io.ReadCloser) {
	if src == nil {
		return
	}
	for _, o := range r.output {
		if o.name == name {
			o.use(src)
			o.console = r.terminal
			return
		}
	}
	o := discard(src, &r.lost)
	o.console = r.terminal
	r.output = append(r.output, o)
}

// The names that outputs have, as the requests spell them.
const (
	fieldStdout = "stdout"
	fieldStderr = "stderr"
)

// closeStreams closes those that are not nil. They have carried nothing yet.
func closeStreams(streams ...io.Closer) {
	for _, s := range streams {
		if s != nil {
			_ = s.Close()
		}
	}
}
