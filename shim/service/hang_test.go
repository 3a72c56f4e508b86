package service_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/ttrpc"

	"github.com/siloshim/siloshim/shim/service"
)

// memory is a listener whose connections are in memory, for a bubble's clock.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	select {
	case <-m.closed:
	default:
		close(m.closed)
	}
	return nil
}

func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// hung is a shim of which one call hangs, with a client.
type hung struct {
	*crash
	api.TTRPCTaskService
	served chan error
	client *ttrpc.Client
	failed string // the first request that did
}

func newHung(t *testing.T, l life, at moment) *hung {
	f := newFuse(at)
	f.hangs = make(chan struct{})
	h := &hung{crash: newCrashWorld(t, l, f), served: make(chan error, 1)}
	config := h.config(
		h.host(&watched{h.mortal(t)}, &watchedService{newMortalService(h.service, f)}, mortalMachine{h.machine, f}), h.publisher.Publish)
	m := &memory{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	go func() { h.served <- service.Serve(context.Background(), m, config) }() // end waits for it
	ours, theirs := net.Pipe()
	m.conns <- theirs
	h.client = ttrpc.NewClient(ours)
	h.TTRPCTaskService = api.NewTTRPCTaskClient(h.client)
	return h
}

// deadlines are the longest times of the requests. Those that are not listed have 15 s.
var deadlines = map[string]time.Duration{
	"Create": 5 * time.Minute, "Start": 5 * time.Minute, "Delete": 24 * time.Minute, "Kill": 100 * time.Millisecond,
	"Wait": endBound, "": patience,
}

// endBound is the longest time from the end of a process to its exit, with one call hanging on the way: what init left
// behind is terminated in 30 s, the output drained in 31, streams and program closed in 30 each.
const endBound = 121 * time.Second

// patience is how long the client here waits for an end that may not come.
const patience = time.Hour

// live makes the requests of a container's life. What they come to is no matter once a call hangs; when they do is.
func (h *hung) live(t *testing.T) error {
	for _, r := range h.requests(t, h.TTRPCTaskService) {
		bound, listed := deadlines[r.name]
		if !listed {
			bound = 15 * time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), bound+time.Second)
		began := time.Now()
		err := r.make(ctx)
		cancel()
		if took := time.Since(began); took > bound && (r.name != "Wait" || !h.starts(t.Context())) {
			return fmt.Errorf("%s took %v, want %v at most: %w", r.name, took, bound, err)
		}
		if err != nil && !h.fuse.moved() {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if err != nil && h.failed == "" {
			h.failed = r.name
		}
	}
	return nil
}

// starts tells whether init is being started: a process whose start hangs has no end yet.
func (h *hung) starts(ctx context.Context) bool {
	s, err := h.State(ctx, &api.StateRequest{ID: "c"})
	return err == nil && s.Status == types.Status_CREATED
}

// probe asks for what must be answered whatever hangs. The answer may be a refusal.
func (h *hung) probe(ctx context.Context) error {
	for name, ask := range map[string]func(context.Context) error{
		"State": call(h.State, &api.StateRequest{ID: "c"}), "Connect": call(h.Connect, &api.ConnectRequest{ID: "c"}),
		"Stats": call(h.Stats, &api.StatsRequest{ID: "c"}), "Kill": call(h.Kill, &api.KillRequest{ID: "c", Signal: 9}),
	} {
		began := time.Now()
		err := ask(ctx)
		if took := time.Since(began); took > 100*time.Millisecond {
			return fmt.Errorf("%s took %v, want 100ms at most: %w", name, took, err)
		}
	}
	return nil
}

// end lets the call go on and removes what there is of the container, as its client would.
func (h *hung) end(t *testing.T) error {
	close(h.fuse.hangs)
	time.Sleep(patience) // what was late is done
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if s, err := h.State(ctx, &api.StateRequest{ID: "c"}); h.failed == "Create" && class(err) != notFound {
		return fmt.Errorf("there is a task that nobody was told of: %v, %w", s, err)
	}
	_, _ = h.Kill(ctx, &api.KillRequest{ID: "c", Signal: 9}) // it may be gone, as in the next two
	_, _ = h.Wait(ctx, &api.WaitRequest{ID: "c"})
	_, err := h.Delete(ctx, &api.DeleteRequest{ID: "c"})
	if class(err) == notFound {
		err = nil
	}
	err = errors.Join(err, h.left(ctx))
	_, _ = h.Shutdown(ctx, &api.ShutdownRequest{Now: true}) // the answer may not make it
	return errors.Join(err, h.client.Close(), <-h.served, h.publisher.Close(ctx))
}

// hangAt has one call hang and checks who answers when. It returns the moments that there were.
func hangAt(t *testing.T, l life, at moment) (moments []moment) {
	synctest.Test(t, func(t *testing.T) {
		h := newHung(t, l, at)
		restore := h.fuse.files()
		lived := make(chan error, 1)
		go func() { lived <- h.live(t) }()
		var err error
		select {
		case <-h.fuse.blown:
			err = h.probe(t.Context())
			time.Sleep(time.Second) // by the bubble's clock: the request that meets the hang is not over
			err = errors.Join(err, h.probe(t.Context()), <-lived)
		case err = <-lived:
		}
		synctest.Wait() // calls that no request waits for have been made
		moments = h.fuse.moments()
		err = errors.Join(err, h.end(t))
		restore()
		if err = errors.Join(err, h.bury(t)); err != nil {
			t.Errorf("%s, hanging %s: %v", l, at, err)
		}
	})
	return moments
}

// TestHang has each kind of call hang when it is made first: State, Stats, Connect and Kill answer promptly, each request
// by its deadline; and what the late call brings about is undone or can be removed.
func TestHang(t *testing.T) {
	quiet(t)
	total := 0
	var list strings.Builder
	for _, l := range []life{{kind: "job"}, {kind: "console"}, {kind: "root"}, {kind: "server"}, {kind: "image"}} {
		var points []moment
		for _, at := range hangAt(t, l, moment{}) {
			if at.nth == 1 && !at.after {
				points = append(points, at)
				hangAt(t, l, at)
			}
		}
		total += len(points)
		list.WriteString(calls(l, points))
	}
	t.Logf("%d points", total)
	golden(t, filepath.Join("testdata", "hang.golden"), list.String())
}
