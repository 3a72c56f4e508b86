package e2e

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"

	"github.com/siloshim/siloshim/shim/event"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// containerd.exe runs with the arguments and the input that the shim passes for a daemon without a ttrpc events service.
// containerd's subscribers receive the event.
func TestPublish_ContainerdExe_EventArrives(t *testing.T) {
	d := newDaemon(t)
	seen := d.record(t)
	seen.ready(t)
	id := newID()
	for _, e := range []any{&events.TaskCreate{ContainerID: id}, &events.TaskDelete{ContainerID: id}} {
		body, err := typeurl.MarshalAnyToProto(e)
		if err != nil {
			t.Fatal(err)
		}
		input, err := proto.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		envelope := &types.Envelope{Topic: event.Topic(e), Namespace: "default", Event: body}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		cmd := d.wine.Command(ctx, d.wine.Exe("containerd"+suffix()), event.NewBinary("", d.Address()).Arguments(envelope)...)
		cmd.Stdin = bytes.NewReader(input)
		if r := run(t, cmd); r.code != 0 && r.killed == 0 {
			t.Errorf("publish: exit %d: %s", r.code, r.stderr)
		}
		cancel()
	}
	if got := seen.of(t, id, "delete"); len(got) != 2 || got[0] != "create" {
		t.Errorf("events %q, want create and delete", got)
	}
}

// suffix is the end of the names of the daemon's programs.
func suffix() string {
	if version := os.Getenv(testenv.DaemonKey); version != "" && version != testenv.Daemons[0] {
		return "-" + version
	}
	return ""
}
