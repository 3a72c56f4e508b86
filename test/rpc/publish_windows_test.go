package rpc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/workload"
)

// publishedKey is the variable with the file in which the fake containerd.exe records the events that it gets.
const publishedKey = "RPC_PUBLISHED"

// publish records the arguments and the type of an event.
func publish() int {
	data, err := io.ReadAll(os.Stdin)
	var event anypb.Any
	if err = errors.Join(err, proto.Unmarshal(data, &event)); err != nil {
		return endBroken
	}
	f, err := os.OpenFile(os.Getenv(publishedKey), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return endBroken
	}
	_, err = fmt.Fprintf(f, "%s %s\n", strings.Join(os.Args[1:], " "), event.TypeUrl)
	if err = errors.Join(err, f.Close()); err != nil {
		return endBroken
	}
	return 0
}

// A daemon without a ttrpc address gets its events through its executable, in order, and all before the shim exits.
func TestEvents_NoTTRPCAddress_PublishedByContainerdExe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "published")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := newShim(t, workload.Spec("exit", "0"), func(s *shim) {
		s.publish = exe
		s.env = []string{"TTRPC_ADDRESS=", programKey + "=publish", publishedKey + "=" + file}
	})
	s.create(t, "")
	s.start(t, "")
	if _, err := s.Wait(t.Context(), &api.WaitRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for topic, event := range sequence("create", "TaskCreate", "start", "TaskStart", "exit", "TaskExit", "delete", "TaskDelete") {
		fmt.Fprintf(&want, `--address \\.\pipe\none publish --topic /tasks/%s --namespace %s containerd.events.%s`+"\n", topic, namespace, event)
	}
	s.leave(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Wine kills a program whose exit takes long, and its exit code is lost: then the shim publishes the event again.
	got := strings.Join(slices.Compact(strings.SplitAfter(string(text), "\n")), "")
	if got != want.String() {
		t.Errorf("published:\n%swant:\n%s", text, want.String())
	}
}

// sequence makes pairs, in order.
func sequence(words ...string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i < len(words); i += 2 {
			if !yield(words[i], words[i+1]) {
				return
			}
		}
	}
}

// leave sends Shutdown and waits for the shim's exit.
func (s *shim) leave(t *testing.T) {
	t.Helper()
	_, _ = s.Shutdown(t.Context(), &api.ShutdownRequest{ID: s.id}) // the answer may be lost
	if _, err := s.process.Wait(); err != nil {
		t.Fatal(err)
	}
}
