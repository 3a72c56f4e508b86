// Command dashboard serves the dashboard of silo over a simulated machine:
//
//	go run -tags no_grpc ./test/dashboard -containers 30
//
//	load.go ─► jobobject/jobtest ─► command.DashboardSource ─► dashboard ─► a browser
//
// It prints its address. Then it reads commands from its standard input, a line each, and answers each with a line:
//
//	step COUNT        samples, 2 s of the machine's time apart
//	exit ID CODE      the container of silo run exits
//	log ID TEXT       it prints a line
//	refuse, allow     the machine refuses to list its containers, and lists them again
//	clear             all containers are removed
//
// With -every it samples by itself. It ends with its standard input, or with -every when it is interrupted.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/dashboard"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address and port")
	containers := flag.Int("containers", 30, "number of containers")
	processes := flag.Int("processes", 0, "processes of each container; 0 for a mixture")
	every := flag.Duration("every", 0, "time between samples; 0 samples on command")
	hostile := flag.Bool("hostile", false, "add a container with a hostile name and log")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *containers, *processes, *every, *hostile); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string, containers, processes int, every time.Duration, hostile bool) error {
	dir, err := os.MkdirTemp("", "silo-dashboard")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is temporary
	m, err := newMachine(dir, containers, processes, hostile)
	if err != nil {
		return err
	}
	source, release := m.app.DashboardSource()
	defer release()
	d := dashboard.New(&withPaths{source}, dashboard.Options{Version: "silo, simulated machine", Host: "NODE-07"})
	past := int(dashboard.Window/dashboard.Interval) + 2 // the first sample has no rates
	for range past {
		if err := m.step(ctx, d); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: d.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with the program
	fmt.Printf("http://%s/\n", listener.Addr())
	if every > 0 {
		return m.live(ctx, d, every)
	}
	return m.obey(ctx, d, os.Stdin)
}

// live samples until ctx ends.
func (m *machine) live(ctx context.Context, d *dashboard.Dashboard, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := m.step(ctx, d); err != nil {
				return err
			}
		}
	}
}

// obey does what it reads.
func (m *machine) obey(ctx context.Context, d *dashboard.Dashboard, commands io.Reader) error {
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		id, value, _ := strings.Cut(rest, " ")
		if err := m.command(ctx, d, verb, id, value); err != nil {
			fmt.Println("error:", err)
			continue
		}
		fmt.Println("done")
	}
	return lines.Err()
}

func (m *machine) command(ctx context.Context, d *dashboard.Dashboard, verb, id, value string) error {
	switch verb {
	case "step":
		n, err := strconv.Atoi(id)
		for range n {
			err = errors.Join(err, m.step(ctx, d))
		}
		return err
	case "exit":
		code, err := strconv.ParseUint(value, 0, 32)
		if err != nil {
			return err
		}
		return m.exit(id, uint32(code))
	case "log":
		return m.print(id, value)
	case "refuse":
		m.refuse.Store(true)
	case "allow":
		m.refuse.Store(false)
	case "clear":
		return m.clear()
	default:
		return fmt.Errorf("unknown command %q", verb)
	}
	return nil
}
