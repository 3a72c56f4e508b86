package event_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/shim/event"
)

// inboxEnv makes the test program containerd's: what it publishes goes into this file.
const inboxEnv = "SILOSHIM_EVENT_TEST"

func TestMain(m *testing.M) {
	if path := os.Getenv(inboxEnv); path != "" {
		os.Exit(standIn(path))
	}
	os.Exit(m.Run())
}

// heir is the argument of a program that holds its parent's standard error for a while, as Windows' console hosts do.
const (
	heir     = "heir"
	heirLife = 2 * time.Second
)

// standIn publishes as containerd does, but for topics that say otherwise.
func standIn(path string) int {
	data, err := io.ReadAll(os.Stdin)
	var payload anypb.Any
	if err = errors.Join(err, proto.Unmarshal(data, &payload)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	args := strings.Join(os.Args[1:], " ")
	switch {
	case strings.Contains(args, "/refused"):
		fmt.Fprintln(os.Stderr, "containerd:", "not today")
		return 1
	case strings.Contains(args, "/stuck"):
		select {}
	case args == heir:
		time.Sleep(heirLife)
		return 0
	case strings.Contains(args, "/heir"):
		cmd := exec.Command(os.Args[0], heir)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return 2
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 2
	}
	defer f.Close()
	body, err := typeurl.UnmarshalAny(&payload)
	if err != nil {
		return 2
	}
	fmt.Fprintf(f, "%s: %s\n", args, body.(*events.TaskStart).ContainerID)
	return 0
}

// command makes the test program a fake of containerd and returns its path and what it has received.
func command(t *testing.T) (path string, taken func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "taken")
	t.Setenv(inboxEnv, file)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe, func() string {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestBinary_Events_ArriveInOrder(t *testing.T) {
	path, taken := command(t)
	p := event.New("ns", event.NewSender("", path, "/grpc"))
	var want strings.Builder
	for i := range 5 {
		p.Publish(&events.TaskStart{ContainerID: fmt.Sprint("c ", i)})
		fmt.Fprintf(&want, "--address /grpc publish --topic /tasks/start --namespace ns: c %d\n", i)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := taken(); got != want.String() {
		t.Errorf("taken:\n%swant:\n%s", got, want.String())
	}
}

func TestBinary_ProgramFails_ReturnsItsError(t *testing.T) {
	path, _ := command(t)
	b := event.NewBinary(path, "/grpc")
	err := b.Forward(t.Context(), &types.Envelope{Topic: "/refused"})
	if err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("refused: %v, want the program's words", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stuck := make(chan error, 1)
	go func() { stuck <- b.Forward(ctx, &types.Envelope{Topic: "/stuck"}) }()
	cancel()
	if err := <-stuck; !errors.Is(err, context.Canceled) {
		t.Errorf("stuck: %v, want it ended", err)
	}
	if err := event.NewBinary(filepath.Join(t.TempDir(), "none"), "").Forward(t.Context(), &types.Envelope{}); err == nil {
		t.Error("a program that is not there took an event")
	}
}

// TestBinary_ChildHoldsStderr_EventIsSentOnce: the event was received when the program has succeeded, although a child
// holds its standard error; after an error it would be sent again.
func TestBinary_ChildHoldsStderr_EventIsSentOnce(t *testing.T) {
	path, taken := command(t)
	body, err := typeurl.MarshalAnyToProto(&events.TaskStart{ContainerID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	b := event.NewBinary(path, "/grpc")
	if err := b.Forward(t.Context(), &types.Envelope{Topic: "/heir", Namespace: "ns", Event: body}); err != nil {
		t.Error(err)
	}
	if want := "--address /grpc publish --topic /heir --namespace ns: c\n"; taken() != want {
		t.Errorf("taken %q, want %q", taken(), want)
	}
}
