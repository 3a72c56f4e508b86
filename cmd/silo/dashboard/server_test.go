package dashboard

import (
	"compress/gzip"
	"context"
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

func TestServer_BeforeTheFirstLook_PageWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(newFake(2, 1), Options{})
		answer := func() chan string {
			c := make(chan string, 1)
			go func() {
				text, _ := io.ReadAll(get(d, "GET", "/", nil).Body) // of memory
				c <- string(text)
			}()
			synctest.Wait()
			return c
		}
		c := answer()
		time.Sleep(firstTimeout) // nothing answers
		if text := <-c; !strings.Contains(text, "not there yet") || strings.Contains(text, "No containers") {
			t.Errorf("after the timeout: %s", text)
		}
		c = answer()
		d.Sample(t.Context())
		if text := <-c; !strings.Contains(text, "2 containers") {
			t.Errorf("after the first look: %s", text)
		}
	})
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
