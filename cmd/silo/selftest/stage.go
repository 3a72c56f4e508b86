package selftest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/siloshim/siloshim/jobobject"
)

// stage is the job of a trial with what runs in it.
type stage struct {
	*Host
	job       *jobobject.Job
	messages  <-chan jobobject.Message // of the job, from its beginning
	note      string                   // what was measured
	token     uintptr
	jobs      []*jobobject.Job
	processes []*process
}

// process is a workload with its standard streams.
type process struct {
	*jobobject.Process
	in  *os.File
	out *bufio.Reader
	end []*os.File
}

// errMessagesEnded is returned where the messages of a job ended during a trial.
var errMessagesEnded = errors.New("the messages of the job have ended")

// newJob makes a job that is closed with the stage.
func (s *stage) newJob(name string, l jobobject.Limits) (*jobobject.Job, error) {
	job, err := jobobject.Create(jobobject.Options{Name: name, KillOnClose: true, TrackIO: true, Kernel: s.Kernel})
	if err != nil {
		return nil, err
	}
	s.jobs = append(s.jobs, job)
	l.KillOnClose = true
	return job, job.SetLimits(context.Background(), l) // a new job: there is nothing to wait for
}

// start starts a workload in the job of the trial.
func (s *stage) start(args ...string) (*process, error) { return s.startIn(s.job, args...) }

func (s *stage) startIn(job *jobobject.Job, args ...string) (*process, error) {
	o, err := s.Workload(args)
	if err != nil {
		return nil, err
	}
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close() // the child's end
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ourIn.Close())
	}
	defer theirOut.Close() // the child's end
	o.Stdin, o.Stdout, o.Token = theirIn, theirOut, s.token
	p, err := job.Start(o)
	if err != nil {
		return nil, errors.Join(err, ourIn.Close(), ourOut.Close())
	}
	started := &process{Process: p, in: ourIn, out: bufio.NewReader(ourOut), end: []*os.File{ourIn, ourOut}}
	s.processes = append(s.processes, started)
	return started, nil
}

// ready starts a workload and waits for its line of output that it is under way.
func (s *stage) ready(args ...string) (*process, error) { return s.readyIn(s.job, args...) }

func (s *stage) readyIn(job *jobobject.Job, args ...string) (*process, error) {
	p, err := s.startIn(job, args...)
	if err != nil {
		return nil, err
	}
	if _, err := p.out.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("start workload %s: it ended before it was under way: %w", args[0], err)
	}
	return p, nil
}

// ends waits for a workload and returns an error for another exit code.
func ends(ctx context.Context, p *process, want uint32) error {
	code, err := p.Wait(ctx)
	if err == nil && code != want {
		err = fmt.Errorf("exit code %d, want %d", code, want)
	}
	return err
}

// code starts a workload and returns its exit code.
func (s *stage) code(ctx context.Context, args ...string) (uint32, error) {
	p, err := s.start(args...)
	if err != nil {
		return 0, err
	}
	return p.Wait(ctx)
}

func (s *stage) close() error {
	var errs []error
	for _, job := range s.jobs {
		errs = append(errs, job.Close())
	}
	for _, p := range s.processes {
		errs = append(errs, p.Close())
		for _, f := range p.end {
			_ = f.Close() // nothing was buffered
		}
	}
	return errors.Join(errs...)
}
