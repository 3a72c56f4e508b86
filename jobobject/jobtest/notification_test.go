package jobtest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
)

// watchedJob is a job with notification limits and its messages.
type watchedJob struct {
	bench
	job      *jobobject.Job
	messages <-chan jobobject.Message
}

func newWatchedJob(t *testing.T, l jobobject.Limits) (watchedJob, *jobobject.Job) {
	b := newBench(t)
	j := b.job(l)
	return watchedJob{b, j, j.Messages()}, j
}

// want awaits a message and compares the violation behind it.
func (m watchedJob) want(v jobobject.Violation) {
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

func bytes(value, threshold uint64) *jobobject.Crossed[uint64] {
	return &jobobject.Crossed[uint64]{Value: value, Threshold: threshold}
}

func TestNotificationLimits_Crossed_SendOneMessageUntilQueried(t *testing.T) {
	m, j := newWatchedJob(t, jobobject.Limits{})
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
		JobUserTime: &jobobject.Crossed[time.Duration]{Value: 1100 * time.Millisecond, Threshold: time.Second},
	})
}

// A low tolerance in a short interval is a fifth of ten seconds.
func TestNotificationLimits_OverRateBeyondTolerance_SendMessage(t *testing.T) {
	m, j := newWatchedJob(t, jobobject.Limits{CPURate: 1000, CPUNotify: true})
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
