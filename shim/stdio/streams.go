package stdio

import "io"

// Asked returns which streams the client has connected. A terminal's stderr is its stdout.
func (r *Relay) Asked() (stdin, stdout, stderr bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stdin = r.input != nil
	for _, o := range r.output {
		stdout, stderr = stdout || o.name == fieldStdout, stderr || o.name == fieldStderr
	}
	return stdin, stdout, stderr
}

// UseStreams makes ends of pipes that the caller has got elsewhere the program's streams, in place of the pipes of
// [Relay.Child]. The relay owns them from here on. Closing stdin is to end the program's input; on a relay
// with a terminal it stays open until [Relay.Close], as [Relay.UseConsole] says. A nil stream is none. It must be
// called before [Relay.Start].
func (r *Relay) UseStreams(stdin io.WriteCloser, stdout, stderr io.ReadCloser) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started || r.closed {
		closeStreams(stdin, stdout, stderr)
		return
	}
	r.closeChildLocked()
	switch {
	case r.input == nil && stdin != nil && r.terminal:
		r.input = newInput(nil, nil) // no client writes to it, and it stays open
		r.input.use(stdin, true)
	case r.input != nil && stdin != nil:
		closeStreams(r.input.program)
		r.input.use(stdin, r.terminal)
	default:
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
			closeStreams(o.src)
			o.use(src)
			return
		}
	}
	r.output = append(r.output, discard(src, &r.lost))
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
