package dashboard

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Handler serves the pages, their updates, and the files they use. All of it is read-only.
func (d *Dashboard) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.serveMachine)
	mux.HandleFunc("GET /container/{namespace}/{id}", d.serveContainer)
	mux.HandleFunc("GET /stream", d.serveStream)
	for name, kind := range files {
		text, err := fs.ReadFile(assets, "assets/"+name)
		if err != nil {
			panic(err) // it is embedded
		}
		mux.HandleFunc("GET /assets/"+name, func(w http.ResponseWriter, r *http.Request) { write(w, r, http.StatusOK, kind, text) })
	}
	return d.guard(mux)
}

// files are the files of the pages, with their types.
var files = map[string]string{
	"style.css": "text/css; charset=utf-8", "dashboard.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
}

// policy forbids everything but the files of this server: no inline script or style, no other machine, no frame.
//
// https://www.w3.org/TR/CSP3/
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard refuses other methods, names and origins.
func (d *Dashboard) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the dashboard is read-only", http.StatusMethodNotAllowed)
		case !AllowedHost(r, d.options.AllowHosts...):
			http.Error(w, "this name of the dashboard is not allowed; start silo dashboard with --allow-host NAME to allow it", http.StatusMisdirectedRequest)
		case !sameOrigin(r):
			http.Error(w, "pages of another origin cannot read the dashboard", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// AllowedHost reports whether the request names this server by the address that it came to, by a loopback address, by
// localhost, or by one of names. A page of an attacker whose name was made to point here (DNS rebinding) uses another name.
// The port may differ, as behind kubectl port-forward.
func AllowedHost(r *http.Request, names ...string) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, host) }) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return ip.Unmap().IsLoopback() || LocalAddr(r) == ip.Unmap()
}

// LocalAddr is the address that the request came to; the zero address where the server does not know.
func LocalAddr(r *http.Request) netip.Addr {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return local.AddrPort().Addr().Unmap()
}

// sameOrigin refuses requests that a page of another origin makes. A link to the dashboard may be followed.
//
// https://www.w3.org/TR/fetch-metadata/
func sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != r.Host {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func (d *Dashboard) serveMachine(w http.ResponseWriter, r *http.Request) {
	d.awaitFirst(r.Context())
	v, err := d.machine(r.URL.Query().Get("order"))
	d.servePage(w, r, v, err)
}

func (d *Dashboard) serveContainer(w http.ResponseWriter, r *http.Request) {
	d.awaitFirst(r.Context())
	v, err := d.container(r.Context(), r.PathValue("namespace"), r.PathValue("id"))
	d.servePage(w, r, v, err)
}

func (d *Dashboard) servePage(w http.ResponseWriter, r *http.Request, v *view, err error) {
	name, data, code := "page", any(v), http.StatusOK
	switch {
	case err != nil:
		name, data, code = "problem", problem{"silo cannot show this page", err.Error()}, http.StatusInternalServerError
	case v == nil:
		name, data, code = "problem", problem{"No such container", "It is not there, or it has ended more than five minutes ago."}, http.StatusNotFound
	}
	p := pageWriter{}
	html := p.render(name, data)
	if p.err != nil {
		http.Error(w, p.err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, r, code, "text/html; charset=utf-8", []byte(html))
}

type problem struct{ Title, Text string }

// write writes a response, compressed if the client can read that.
func write(w http.ResponseWriter, r *http.Request, code int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(body) // to memory
		_ = z.Close()
		body = packed.Bytes()
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client has left
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.TrimSpace(quality) != "q=0" {
			return true
		}
	}
	return false
}
