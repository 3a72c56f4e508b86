package dashboard

import (
	"bufio"
	"compress/gzip"
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

// get sends a request to the dashboard of a machine on 10.0.0.4.
func get(d *Dashboard, method, path string, header map[string]string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "localhost:9766"
	for k, v := range header {
		r.Header.Set(k, v)
	}
	if host := header["Host"]; host != "" {
		r.Host = host
	}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 4), Port: 9766}))
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestServer_Host_OnlyAddressesAndAllowedNames(t *testing.T) {
	d := looked(t, newFake(1, 1), 1)
	d.options.AllowHosts = []string{"node1.example.com"}
	for host, allowed := range map[string]bool{
		"localhost": true, "localhost:1234": true, "LOCALHOST.": true, "127.0.0.1:9766": true, "127.9.9.9": true, "[::1]:80": true, "[::ffff:127.0.0.1]": true,
		"10.0.0.4:9766": true, "10.0.0.4": true, "node1.example.com": true, "Node1.Example.COM:80": true,
		"10.0.0.5": false, "evil.example.com": false, "evil.example.com:9766": false, "localhost.evil.example.com": false, "127.0.0.1.evil.example.com": false,
		"xnode1.example.com": false, "[fe80::1]": false, "0.0.0.0": false, "2130706433": false, "": false, "localhost:9766:1": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 4), Port: 9766}))
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != allowed || !allowed && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("Host %q: %d", host, w.Code)
		}
	}
}

func TestServer_Origin_OnlyItsOwnPages(t *testing.T) {
	d := looked(t, newFake(1, 1), 1)
	for _, test := range []struct {
		header map[string]string
		want   int
	}{
		{nil, 200},
		{map[string]string{"Origin": "http://localhost:9766", "Sec-Fetch-Site": "same-origin"}, 200},
		{map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		{map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200}, // a link
		{map[string]string{"Origin": "http://evil.example.com"}, 403},
		{map[string]string{"Origin": "http://localhost:8080"}, 403},
		{map[string]string{"Origin": "null"}, 403},
		{map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403},
		{map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403},
		{map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
	} {
		if r := get(d, "GET", "/", test.header); r.StatusCode != test.want {
			t.Errorf("%v: %d, want %d", test.header, r.StatusCode, test.want)
		}
	}
}

func TestServer_Methods_OnlyReads(t *testing.T) {
	d := looked(t, newFake(1, 1), 1)
	for _, path := range []string{"/", "/container/a/c00", "/stream", "/assets/style.css"} {
		for method, want := range map[string]int{"POST": 405, "PUT": 405, "DELETE": 405, "PATCH": 405, "OPTIONS": 405, "TRACE": 405, "HEAD": 200} {
			if r := get(d, method, path, nil); r.StatusCode != want {
				t.Errorf("%s %s: %d, want %d", method, path, r.StatusCode, want)
			}
		}
	}
}

func TestServer_EveryResponse_HasThePolicy(t *testing.T) {
	d := looked(t, newFake(1, 1), 1)
	for path, code := range map[string]int{
		"/": 200, "/container/a/c00": 200, "/container/a/none": 404, "/none": 404, "/assets/style.css": 200, "/assets/dashboard.js": 200, "/assets/icon.svg": 200, "/assets/page.html": 404,
		"/container/..%2f..%2f/c00": 404,
	} {
		r := get(d, "GET", path, nil)
		policy := r.Header.Get("Content-Security-Policy")
		if r.StatusCode != code || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
	}
}

func TestServer_Gzip_OnlyForWhoReadsIt(t *testing.T) {
	d := looked(t, newFake(30, 1), 20)
	plain, err := io.ReadAll(get(d, "GET", "/", map[string]string{"Accept-Encoding": "gzip;q=0, br"}).Body)
	if err != nil || !strings.HasPrefix(string(plain), "<!DOCTYPE html>") {
		t.Fatalf("%.40q %v", plain, err)
	}
	r := get(d, "GET", "/", map[string]string{"Accept-Encoding": "br, gzip"})
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != string(plain) {
		t.Errorf("%d bytes, %v, want the %d of the plain page", len(unpacked), err, len(plain))
	}
}

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
