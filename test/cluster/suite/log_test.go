package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
)

// countedLog is kubelet's log file of a container that prints the numbers from 0 on.
type countedLog struct {
	lines, lost int
	ended       bool // the program has printed its last line
}

// countedLogs reads the log files of a namespace, also those of containers that were killed. A number that comes twice or too
// late is an error.
func (c *suite) countedLogs(namespace string) (map[string]countedLog, error) {
	files, err := filepath.Glob(filepath.Join(c.Wine.UnixPath(kube.PodLogs), namespace+"_*", "main", "*.log"))
	if err != nil {
		return nil, err
	}
	logs := map[string]countedLog{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		lines := strings.Split(string(text), "\n")
		var log countedLog
		for _, line := range lines[:len(lines)-1] { // the last is not complete yet
			_, number, ok := strings.Cut(line, " stdout F ")
			if ok && number == "end" && !log.ended {
				log.ended = true
				continue
			}
			n, err := strconv.Atoi(number)
			if expected := log.lines + log.lost; !ok || err != nil || n < expected || log.ended {
				return nil, fmt.Errorf("%s has the line %q, want %d", file, line, expected)
			}
			log.lines, log.lost = log.lines+1, n-log.lines
		}
		logs[file] = log
	}
	return logs, nil
}

// continued waits until every pod of a namespace has printed more, and returns how many lines were lost since the last call,
// which was with the same logs.
func (c *suite) continued(t *testing.T, namespace string, logs map[string]countedLog) (lost int, err error) {
	begin, err := c.countedLogs(namespace)
	if err != nil {
		return 0, err
	}
	var now map[string]countedLog
	var broken error // ends the wait: what is written stays
	waited := await(t, "the logs go on", func() (bool, error) {
		now, broken = c.countedLogs(namespace)
		grown := map[string]bool{}
		for file, log := range now {
			if log.lines > begin[file].lines {
				grown[filepath.Dir(file)] = true
			}
		}
		return broken != nil || len(grown) == len(handlers), errors.New("they have stopped")
	})
	for file, log := range now {
		lost += log.lost - logs[file].lost
		logs[file] = log
	}
	return lost, errors.Join(broken, waited)
}

// accounted kills containerd once more, ends the programs that print, and holds that containerd or its pipe has accepted every byte
// of them, as their shims say: lines that kubelet's file lacks were lost behind the shim.
func (c *suite) accounted(t *testing.T, namespace, end string, logs map[string]countedLog) {
	t.Helper()
	if err := c.Node.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.continued(t, namespace, logs); err != nil {
		t.Fatal(err)
	}
	pods, err := c.Pods(t.Context(), namespace, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(end, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range pods {
		status := pods[i].Status.ContainerStatuses[0]
		_, id, _ := strings.Cut(status.ContainerID, "://")
		file := fmt.Sprintf("%s_%s_%s/main/%d.log", namespace, pods[i].Metadata.Name, pods[i].Metadata.UID, status.RestartCount)
		var log countedLog
		until(t, pods[i].Metadata.Name+" has ended", func() (bool, error) {
			all, err := c.countedLogs(namespace)
			log = all[filepath.Join(c.Wine.UnixPath(kube.PodLogs), file)]
			return log.ended, errors.Join(err, fmt.Errorf("%s has %d lines", file, log.lines))
		})
		printed := len("end\n")
		for n := range log.lines + log.lost {
			printed += len(strconv.Itoa(n)) + len("\n")
		}
		var line string
		until(t, "the shim reports the bytes of "+id, func() (bool, error) {
			line, err = lineOf(c.Node.LogPath(), "the output has ended", "container_id="+id)
			return line != "", err
		})
		if !slices.Contains(strings.Fields(line), fmt.Sprint("written_bytes=", printed)) {
			t.Errorf("%s printed %d bytes, and the shim says: %s", id, printed, line)
		}
		t.Logf("%.12s: %d lines, %d of them not in kubelet's file; containerd or its pipe has accepted all %d bytes", id, log.lines+log.lost, log.lost, printed)
	}
}

// lineOf returns the first line of a file that has all parts, or "".
func lineOf(file string, parts ...string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			return strings.TrimSpace(line), nil
		}
	}
	return "", nil
}
