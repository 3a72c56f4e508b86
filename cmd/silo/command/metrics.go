package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/dashboard"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/internal/buildinfo"
	"github.com/siloshim/siloshim/stats"
	"github.com/siloshim/siloshim/stats/prom"
)

// metricsFlags are the flags of metrics.
type metricsFlags struct {
	listen string
	path   string
	expose bool
	once   bool
	all    bool // also what silo supervise exports
}

func (a *App) metricsCommand() *cobra.Command {
	f := new(metricsFlags)
	c := &cobra.Command{
		Use:   "metrics",
		Short: "Export the statistics of all containers to Prometheus",
		Long: `Metrics serves the statistics of every container of this machine over HTTP and queries the kernel at each scrape. It
listens on the loopback address. Another address needs --expose: the connection has neither encryption nor a password.
A container that silo supervise exports itself is left out, so that a sum over both counts it once. --all exports it, too.`,
		Example: "  silo metrics\n  silo metrics --once\n  silo metrics --listen 10.0.0.4:9765 --expose",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.metrics(c.Context(), f)
		},
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:9765", "address and port")
	c.Flags().StringVar(&f.path, "path", "/metrics", "path")
	c.Flags().BoolVar(&f.expose, "expose", false, "allow an address that other machines can reach")
	c.Flags().BoolVar(&f.once, "once", false, "print the metrics and exit")
	c.Flags().BoolVar(&f.all, "all", false, "export also the containers that silo supervise exports itself")
	return c
}

// pathForm is a path that needs no escapes in an address.
var pathForm = regexp.MustCompile(`^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$`)

// validate checks all that can be checked before the start, for silo service install as well.
func (f *metricsFlags) validate() error {
	if !pathForm.MatchString(f.path) {
		return fmt.Errorf("--path %q is not a path such as /metrics; use letters, digits and . _ ~ - between slashes", f.path)
	}
	if f.once {
		return nil
	}
	return mayListen(f.listen, f.expose)
}

func (a *App) metrics(ctx context.Context, f *metricsFlags) error {
	if err := f.validate(); err != nil || a.checking {
		return err
	}
	registry := prometheus.NewRegistry()
	version, revision := buildinfo.Read()
	list := reporting(func() ([]prom.Container, error) { return a.exported(ctx, f.all) }, func(err error) {
		fmt.Fprintf(a.Stderr, "silo: warning: a scrape does not have all containers: %s\n", oneLine(err))
	})
	err := registry.Register(prom.New(prom.Options{
		List: list, Version: version, Revision: revision, GoVersion: runtime.Version(),
		Processors: a.Machine.Processors(),
	}))
	if err != nil {
		return err
	}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	if f.once {
		return a.printMetrics(handler)
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; choose another port or end the program that has it", f.listen, err)
	}
	fmt.Fprintf(a.Stderr, "silo: metrics on http://%s%s\n", listener.Addr(), f.path)
	return serve(ctx, listener, servePath(f.path, handler))
}

// servePath serves handler at one path. A pattern of [http.ServeMux] gives some characters a meaning, and panics. On a loopback
// address it refuses other names than the address and localhost: a page whose name was made to point here (DNS rebinding) has one.
func servePath(path string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != path:
			http.NotFound(w, r)
		case dashboard.LocalAddr(r).IsLoopback() && !dashboard.AllowedHost(r):
			http.Error(w, "metrics on a loopback address are served by that address and as localhost alone", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "use GET", http.StatusMethodNotAllowed)
		default:
			handler.ServeHTTP(w, r)
		}
	})
}

// reporting passes the errors of list to report, unless the call before had the same one: a scrape has only their number.
func reporting(list func() ([]prom.Container, error), report func(error)) func() ([]prom.Container, error) {
	var mu sync.Mutex // guards last
	var last string
	return func() ([]prom.Container, error) {
		found, err := list()
		text := ""
		if err != nil {
			text = err.Error()
		}
		mu.Lock()
		defer mu.Unlock()
		if text != "" && text != last {
			report(err)
		}
		last = text
		return found, err
	}
}

// exported samples every container for a scrape. Nothing is kept until the next, which is many seconds away: a process
// handle would hold the remains of an exited process. Unless all is set, a container that its supervisor exports is not sampled.
func (a *App) exported(ctx context.Context, all bool) ([]prom.Container, error) {
	o := a.newObserver()
	defer o.retain(nil)
	list, err := a.Node.All()
	if err != nil {
		return nil, err
	}
	elsewhere := func(c node.Container) bool { return !all && c.Exporter() != "" }
	views, err := o.samples(ctx, slices.DeleteFunc(slices.Clone(list), func(c node.Container) bool { return !c.Living() || elsewhere(c) }))
	samples := map[string]stats.Sample{}
	for _, v := range views {
		samples[v.Name()] = v.Sample
	}
	var out []prom.Container
	for _, c := range list {
		if elsewhere(c) {
			out = append(out, prom.Container{Kind: string(c.Kind), Namespace: c.Namespace, ID: c.ID, Exporter: c.Exporter()})
			continue
		}
		sample, sampled := samples[c.Name()]
		if !sampled && c.Record == nil && c.Error == "" {
			continue // it ended meanwhile, or is in the error
		}
		e := exportedState(c)
		e.Sample, e.Unsampled, e.State.Ended = sample, !sampled, !c.Living()
		if c.Record != nil && c.Kind != node.Attach {
			e.Output = outputMetrics(c.Record.OutputErrors)
		}
		out = append(out, e)
	}
	return out, err
}

// exportedState is a container without its sample.
func exportedState(c node.Container) prom.Container {
	state := &prom.State{Status: string(c.Status)}
	if c.Record != nil {
		state.Restarts = &c.Record.Restarts
	}
	if e := c.LastExit(); e != nil {
		state.LastExit = &prom.Exit{Code: e.Code, Reason: e.Outcome(), At: e.At}
	}
	e := prom.Container{Kind: string(c.Kind), Namespace: c.Namespace, ID: c.ID, State: state}
	if p := c.Pod; p != nil {
		e.Pod = &prom.Pod{Namespace: p.Namespace, Name: p.Name, Container: p.Container}
	}
	return e
}

// mayListen refuses an address that other machines can reach, unless expose is set.
func mayListen(address string, expose bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--listen %q: want ADDRESS:PORT: %w", address, err)
	}
	if ip := net.ParseIP(host); expose || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("--listen %s can be reached from other machines, without encryption or password; add --expose to allow that", address)
}

// shutdownTimeout bounds the requests that run when the server ends.
const shutdownTimeout = 5 * time.Second

// serve serves handler until ctx ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	done := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		done <- server.Shutdown(ctx)
	})
	err := server.Serve(listener)
	if stop() { // it failed before ctx ended
		return fmt.Errorf("serve http://%s: %w", listener.Addr(), err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// printMetrics prints the response to a scrape.
func (a *App) printMetrics(handler http.Handler) error {
	request, err := http.NewRequest(http.MethodGet, "/metrics", nil)
	if err != nil {
		return err
	}
	handler.ServeHTTP(&plainWriter{to: a}, request)
	return nil
}

// plainWriter is a response without its header.
type plainWriter struct {
	to     *App
	header http.Header
}

func (w *plainWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *plainWriter) WriteHeader(int)             {}
func (w *plainWriter) Write(p []byte) (int, error) { return w.to.Stdout.Write(p) }
