package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/dashboard"
	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/internal/buildinfo"
	"github.com/siloshim/siloshim/jobobject"
)

// dashboardFlags are the flags of dashboard.
type dashboardFlags struct {
	listen     string
	expose     bool
	allowHosts []string
}

func (a *App) dashboardCommand() *cobra.Command {
	f := new(dashboardFlags)
	c := &cobra.Command{
		Use:   "dashboard",
		Short: "Show all containers on a page in the browser",
		Long: `Dashboard serves a page that shows every container of this machine: its use of processors, memory and storage over the
last five minutes, its limits, processes, events, exits, and the end of its log. The page updates itself, needs no other
machine, and changes nothing. It listens on the loopback address. Another address needs --expose: the connection has neither
encryption nor a password. A browser may open the page by that address or as localhost; --allow-host allows another name.`,
		Example: "  silo dashboard\n  silo dashboard --listen 10.0.0.4:9766 --expose --allow-host node1.example.com",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.dashboard(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:9766", "address and port")
	c.Flags().BoolVar(&f.expose, "expose", false, "allow an address that other machines can reach")
	c.Flags().StringSliceVar(&f.allowHosts, "allow-host", nil, "host name by which a browser may open the page; may be repeated")
	return c
}

func (a *App) dashboard(ctx context.Context, f *dashboardFlags) error {
	if err := mayListen(f.listen, f.expose); err != nil {
		return err
	}
	for _, name := range f.allowHosts {
		if name == "" || strings.ContainsAny(name, "/:* ") {
			return fmt.Errorf("--allow-host %q: want a host name, without scheme and port", name)
		}
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	fmt.Fprintf(a.Stderr, "silo: dashboard on http://%s/\n", listener.Addr())
	source, release := a.DashboardSource()
	defer release()
	version, _ := buildinfo.Read()
	host, _ := os.Hostname() // the page has no name then
	d := dashboard.New(source, dashboard.Options{AllowHosts: f.allowHosts, Version: "silo " + version, Host: host})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() { // ends with ctx
		defer close(done)
		d.Run(ctx)
	}()
	err = serve(ctx, listener, d.Handler())
	cancel()
	<-done
	return err
}

// endedShown bounds the containers of silo run on the dashboard that have exited.
const endedShown = 50

// dashboardSource implements [dashboard.Source].
type dashboardSource struct {
	app      *App
	observer *observer
}

// DashboardSource returns what the dashboard shows, and a function that ends its use.
func (a *App) DashboardSource() (source dashboard.Source, release func()) {
	o := a.newObserver()
	return &dashboardSource{a, o}, func() { o.retain(nil) }
}

// Look implements [dashboard.Source].
func (s *dashboardSource) Look(ctx context.Context) (dashboard.Look, error) {
	look := dashboard.Look{Time: s.app.Now(), Processors: s.app.Machine.Processors()}
	list, err := s.app.Node.Containers()
	if err != nil {
		return look, err
	}
	lists, err := s.observer.processes(ctx, list) // also releases the collectors of those that are gone
	var errs []error
	if err != nil {
		errs = append(errs, fmt.Errorf("list processes: %w", err))
	}
	for i, c := range list {
		v, err := s.observer.sample(ctx, c)
		if errors.Is(err, node.ErrNotFound) {
			continue
		}
		shown := toDashboard(c)
		shown.Sample, shown.Err = v.Sample, err
		if lists != nil {
			shown.Processes = lists[i]
		}
		look.Containers = append(look.Containers, shown)
	}
	ended, err := s.ended()
	if err != nil {
		errs = append(errs, err)
	}
	look.Containers = append(look.Containers, ended...)
	return look, errors.Join(errs...)
}

// ended lists the containers of silo run that have exited, the latest first.
func (s *dashboardSource) ended() ([]dashboard.Container, error) {
	all, err := s.app.Node.All()
	if err != nil {
		return nil, err
	}
	var list []dashboard.Container
	for _, c := range all {
		if !c.Living() && c.Record != nil && c.Record.Exit != nil {
			list = append(list, toDashboard(c))
		}
	}
	slices.SortFunc(list, func(x, y dashboard.Container) int {
		return cmp.Or(y.Exit.At.Compare(x.Exit.At), cmp.Compare(x.ID, y.ID))
	})
	return list[:min(len(list), endedShown)], nil
}

func toDashboard(c node.Container) dashboard.Container {
	shown := dashboard.Container{Namespace: c.Namespace, ID: c.ID, Kind: string(c.Kind), Status: string(c.Status)}
	if p := c.Pod; p != nil {
		shown.Pod, shown.PodUID, shown.PodContainer = p.Namespace+"/"+p.Name, p.UID, p.Container
	}
	if r := c.Record; r != nil {
		shown.Program, shown.Restarts = r.Program, r.Restarts
		shown.Exit, shown.LastExit = exitOf(r.Exit), exitOf(r.LastExit)
	}
	return shown
}

func exitOf(e *node.Exit) *dashboard.Exit {
	if e == nil {
		return nil
	}
	return &dashboard.Exit{Code: e.Code, Reason: e.Reason, Meaning: e.Meaning(), At: e.At}
}

// Details implements [dashboard.Source].
func (s *dashboardSource) Details(ctx context.Context, namespace, id string) (d dashboard.Details) {
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	c := node.Container{Namespace: namespace, ID: id}
	if namespace == node.Own {
		if r, err := s.app.Node.Records.Read(id); err == nil {
			c.Record, d.Warnings, d.LogPath = r, r.Warnings, r.Log
		}
	}
	if d.LogPath != "" {
		d.Log, d.LogErr = tail(d.LogPath, dashboard.LogTail)
		if errors.Is(d.LogErr, os.ErrNotExist) {
			d.LogErr = nil // it has printed nothing so far
		}
	}
	if c.Record != nil && c.Record.Exit != nil {
		return d
	}
	found, err := s.app.Node.Find(c.Name())
	if err == nil {
		err = s.app.look(found, jobobject.AccessQuery, func(job *jobobject.Job) error {
			l, err := job.QueryLimits(ctx)
			for _, line := range limit.Describe(l, s.app.Machine) {
				d.Limits = append(d.Limits, dashboard.Limit{Name: line.Limit, Value: line.Value})
			}
			return err
		})
	}
	if !errors.Is(err, node.ErrNotFound) {
		d.LimitsErr = err
	}
	return d
}
