package testenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PrometheusServer is a running server.
type PrometheusServer struct {
	Log     string // its file
	address string
	cmd     *exec.Cmd
	ended   chan error // has the result of the process
}

// prometheusConfig takes the interval of scrapes and the file of rules.
const prometheusConfig = `global: {scrape_interval: %[1]dms, scrape_timeout: %[1]dms, evaluation_interval: 1s}
rule_files: [%[2]q]
scrape_configs:
`

// StartPrometheus starts the server in programs with its files in dir. It evaluates a file of rules and scrapes the addresses
// of each job at an interval; labels of the exporters take precedence. [PrometheusServer.Ready] reports when it answers. Stop it
// after use.
func StartPrometheus(programs, dir, rules string, interval time.Duration, jobs map[string][]string) (*PrometheusServer, error) {
	config := fmt.Sprintf(prometheusConfig, interval.Milliseconds(), rules)
	for job, addresses := range jobs {
		config += fmt.Sprintf("- {job_name: %s, honor_labels: true, static_configs: [{targets: ['%s']}]}\n", job, strings.Join(addresses, "', '"))
	}
	file := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &PrometheusServer{Log: filepath.Join(dir, "log"), address: listener.Addr().String(), ended: make(chan error, 1)}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	log, err := os.Create(p.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the server has a duplicate
	p.cmd = exec.Command(filepath.Join(programs, "prometheus"), "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }() // ends with the server
	return p, nil
}

// Stop ends the server and waits for its end.
func (p *PrometheusServer) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	if err := <-p.ended; err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	return nil
}

// Ready returns an error unless the server answers queries.
func (p *PrometheusServer) Ready() error {
	answer, err := http.Get("http://" + p.address + "/-/ready")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// Point is one element of an answer.
type Point struct {
	Labels map[string]string
	Value  float64
}

// Query evaluates an expression now.
func (p *PrometheusServer) Query(ctx context.Context, expr string) ([]Point, error) {
	address := "http://" + p.address + "/api/v1/query?" + url.Values{"query": {expr}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var got struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any // seconds, and a number as text
			}
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	if got.Status != "success" {
		return nil, fmt.Errorf("query %s: %s", expr, got.Error)
	}
	var list []Point
	for _, r := range got.Data.Result {
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", expr, err)
		}
		list = append(list, Point{r.Metric, value})
	}
	return list, nil
}
