package plan

import (
	"errors"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
)

func TestNewStop_Annotations_AreParsed(t *testing.T) {
	for _, c := range []struct {
		signal, grace string
		want          Stop
	}{
		{want: Stop{}},
		{signal: "CTRL_C", want: Stop{Signal: new(uint32(0))}},
		{signal: "ctrl_break_event", grace: "90s", want: Stop{Signal: new(uint32(1)), Grace: 90 * time.Second}},
		{signal: "KILL", want: Stop{Signal: new(uint32(9))}},
	} {
		a := map[string]string{}
		if c.signal != "" {
			a[StopSignal] = c.signal
		}
		if c.grace != "" {
			a[StopGrace] = c.grace
		}
		got, err := newStop(a)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%v: error %v (-want +got):\n%s", a, err, diff)
		}
	}
}

func TestNewStop_InvalidValue_IsRefused(t *testing.T) {
	for key, value := range map[string]string{StopSignal: "SIGTERM", StopGrace: "-1s"} {
		if _, err := newStop(map[string]string{key: value}); !errors.Is(err, errdefs.ErrInvalidArgument) {
			t.Errorf("%s %q: %v, want invalid argument", key, value, err)
		}
	}
}
