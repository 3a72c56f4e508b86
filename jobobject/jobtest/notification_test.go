package jobtest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
)

// marked is a job with marks, one process, and what it told so far.
type marked struct {
	bench
	job      *jobobject.Job
	messages <-chan jobobject.Message
}

func newMarked(t *testing.T, l jobobject.Limits) (marked, *jobobject.Job) {
	b := newBench(t)
	j := b.job(l)
	return marked{b, j, j.Messages()}, j
}

// want awaits a message and compares the violation behind it.
func (m marked) want(v jobobject.Violation) {
	m.t.Helper()
	for got := range m.messages {
		if got.Kind == jobobject.NotificationLimit {
			break
		}
	}
	got, err := m.job.Violation()
	if err != nil {
		m.t.Fatal(err)
	}
	if diff := cmp.Diff(v, got); diff != "" {
		m.t.Errorf("violation (-want +got):\n%s", diff)
	}
}

func bytes(figure, mark uint64) *jobobject.Passed[uint64] {
	return &jobobject.Passed[uint64]{Figure: figure, Mark: mark}
}

func TestMarksArePassedOnce(t *testing.T) {
	m, j := newMarked(t, jobobject.Limits{})
	p, _ := m.process(j)
	set := jobobject.NotificationLimits{
		HighMemory: 10 << 20, LowMemory: 3 << 20, JobUserTime: time.Second, ReadBytes: 5, WriteBytes: 6,
	}
	if err := j.SetNotificationLimits(set); err != nil {
		t.Fatal(err)
	}
	p.Commit(11 << 20)
	p.Commit(12 << 20) // no second message before the first is looked into
	m.want(jobobject.Violation{HighMemory: bytes(11<<20, 10<<20)})
	p.Commit(2 << 20)
	m.want(jobobject.Violation{LowMemory: bytes(2<<20, 3<<20)})
	p.Transfer(jobobject.IOAttribution{ReadBytes: 6, WriteBytes: 6})
	m.want(jobobject.Violation{ReadBytes: bytes(6, 5)})
	p.Use(1100*time.Millisecond, 0, 0)
	m.want(jobobject.Violation{
		ReadBytes:   bytes(6, 5), // still beyond it
		JobUserTime: &jobobject.Passed[time.Duration]{Figure: 1100 * time.Millisecond, Mark: time.Second},
	})
}

// TestRateMark is over its rate for longer than a fifth of ten seconds.
func TestRateMark(t *testing.T) {
	m, j := newMarked(t, jobobject.Limits{CPURate: 1000, CPUNotify: true})
	p, _ := m.process(j)
	tolerance := jobobject.RateTolerance{Level: jobobject.ToleranceLow, Interval: jobobject.IntervalShort}
	if err := j.SetNotificationLimits(jobobject.NotificationLimits{CPU: tolerance}); err != nil {
		t.Fatal(err)
	}
	p.Busy(1, 0)
	m.Advance(2 * time.Second)
	if v, err := j.Violation(); err != nil || v != (jobobject.Violation{}) {
		t.Errorf("violation = %+v, %v, want none yet", v, err)
	}
	m.Advance(time.Second)
	m.want(jobobject.Violation{CPU: jobobject.ToleranceLow})
}
