package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stream opens a stream of updates on a server.
func stream(t *testing.T, address, query string) (next func() (event string, p patch)) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", address+"/stream?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	if r.StatusCode != 200 {
		t.Fatalf("stream: %s", r.Status)
	}
	lines := bufio.NewReader(r.Body)
	return func() (kind string, p patch) {
		t.Helper()
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("stream: %v", err)
			}
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				kind = strings.TrimSpace(name)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				if err := json.Unmarshal([]byte(data), &p); err != nil {
					t.Fatal(err)
				}
				return kind, p
			}
		}
	}
}

func TestStream_NextLook_SendsWhatHasChanged(t *testing.T) {
	s := newFake(3, 1)
	d := looked(t, s, 2)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close) // after the streams, for which it waits
	next := stream(t, server.URL, "")
	if _, p := next(); len(p.Rows) != 3 || p.HTML["facts"] == "" || p.HTML[p.Rows[0]] == "" {
		t.Fatalf("the first update lacks parts: %v", p)
	}
	s.containers[1].Sample.Memory.Commit = 900 << 20
	d.Sample(t.Context())
	kind, p := next()
	if kind != "patch" || p.Rows != nil || !strings.Contains(string(p.HTML[rowID("a/c01")]), "900 MiB") || p.HTML["events"] != "" {
		t.Errorf("%s %v", kind, p)
	}
	s.containers = s.containers[:0]
	s.now = s.now.Add(2 * Window)
	d.Sample(t.Context())
	next()
	s.now = s.now.Add(2 * Window)
	d.Sample(t.Context())
	if _, p := next(); len(p.Rows) != 1 || p.Rows[0] != "" || !strings.Contains(string(p.HTML["empty"]), "No containers") {
		t.Errorf("the last container stays: %v", p)
	}
}

func TestStream_PageOfThisLook_IsNotSentAgain(t *testing.T) {
	s := newFake(3, 1)
	d := looked(t, s, 2)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close) // after the streams, for which it waits
	v := must(t)(d.machine(""))
	_, query, _ := strings.Cut(v.Stream, "?")
	next := stream(t, server.URL, query)
	s.containers[0].Restarts = 1
	d.Sample(t.Context())
	if _, p := next(); strings.Contains(string(p.HTML["events"]), "Nothing has happened") || p.Rows != nil {
		t.Errorf("%v", p)
	}
}

func TestStream_ContainerForgotten_SaysSoAndEnds(t *testing.T) {
	s := newFake(1, 1)
	s.containers[0].Exit = &Exit{}
	d := looked(t, s, 2)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close) // after the streams, for which it waits
	next := stream(t, server.URL, "namespace=a&id=c00")
	next()
	s.containers = nil
	d.Sample(t.Context())
	if kind, _ := next(); kind != "gone" {
		t.Errorf("event %s, want gone", kind)
	}
}

func TestStream_MoreThanTheLimit_Refused(t *testing.T) {
	d := looked(t, newFake(1, 1), 1)
	for range maxStreams {
		d.streams <- struct{}{}
	}
	if r := get(d, "GET", "/stream", nil); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := get(d, "GET", "/", nil); r.StatusCode != http.StatusOK {
		t.Errorf("the page itself: %d", r.StatusCode)
	}
}

func TestStream_RunEnds_EndsTheStreams(t *testing.T) {
	d := New(newFake(1, 1), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close) // after the streams, for which it waits
	r, err := http.Get(server.URL + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	cancel()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		t.Error(err)
	}
	<-done
}

// TestStream_ClientReadsNothing_IsDisconnected: a client that takes no data keeps its place only for the write timeout.
// The pipe has no buffer and honours deadlines by the bubble's clock.
func TestStream_ClientReadsNothing_IsDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFake(20, 1)
		d := New(s, Options{})
		d.Sample(t.Context())
		client, conn := net.Pipe()
		l := &oneConn{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
		l.conn <- conn
		server := &http.Server{Handler: d.Handler()}
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(l) }()
		if _, err := io.WriteString(client, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(d.streams) != 1 {
			t.Fatal("the stream is not open")
		}
		time.Sleep(writeTimeout - time.Second)
		synctest.Wait()
		if len(d.streams) != 1 {
			t.Error("it was disconnected early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(d.streams) != 0 || d.watchers != 0 {
			t.Errorf("after %v it still has its place", writeTimeout)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		client.Close()
		<-done
	})
}

// oneConn is a listener with one connection.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { close(l.closed); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
