package supervisor_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// closedFor is a writer that fails for a number of writes, after the first.
type closedFor struct {
	strings.Builder
	writes, failures int
	tried            chan bool // receives each write; nil for none
}

var errClosed = errors.New("the pipe is being closed")

func (c *closedFor) Write(p []byte) (int, error) {
	if c.tried != nil {
		defer func() { c.tried <- true }()
	}
	if c.writes++; c.writes > 1 && c.writes <= 1+c.failures {
		return 0, errClosed
	}
	return c.Builder.Write(p)
}

func TestTarget_WriterFails_OtherTargetAndLaterOutputGoOn(t *testing.T) {
	terminal, changes := &closedFor{failures: 2}, 0
	target := supervisor.NewTarget(terminal, func() { changes++ })
	var log strings.Builder
	both := io.MultiWriter(target, &log)
	for _, text := range []string{"one\n", "two\n", "three\n", "four\n"} {
		if _, err := io.WriteString(both, text); err != nil {
			t.Fatal(err)
		}
	}
	if terminal.String() != "one\nfour\n" || log.String() != "one\ntwo\nthree\nfour\n" {
		t.Errorf("the terminal has %q, the log %q", terminal.String(), log.String())
	}
	if f := target.Failure(); f.Lost != 10 || f.Failing || f.Err != errClosed.Error() || f.Since.IsZero() || changes != 3 {
		t.Errorf("%+v after %d changes, want 10 lost, an end of the failure and 3", f, changes)
	}
}

// TestRun_WriterFailsOnce_LaterOutputIsWritten: a write that fails must not end the copy of the stream.
func TestRun_WriterFailsOnce_LaterOutputIsWritten(t *testing.T) {
	to := &closedFor{failures: 1, tried: make(chan bool)}
	_, _, o := world(t, func(p *jobtest.Proc) uint32 {
		for _, text := range []string{"one\n", "two\n", "three\n"} {
			if _, err := io.WriteString(p.Stdout, text); err != nil {
				return 1
			}
			<-to.tried // otherwise one read gets two lines
		}
		return 0
	})
	o.Stdout = to
	var warned error
	o.Warn = func(err error) { warned = errors.Join(warned, err) }
	r, err := supervisor.Run(t.Context(), o)
	if r.Code != 0 || err != nil || !errors.Is(warned, errClosed) || !strings.Contains(warned.Error(), "4 bytes were lost") {
		t.Errorf("%+v %v, warnings %v, want exit code 0 and a warning of 4 lost bytes", r, err, warned)
	}
	if to.String() != "one\nthree\n" {
		t.Errorf("the output is %q", to.String())
	}
}
