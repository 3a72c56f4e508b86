package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
)

// countedLog is kubelet's log file of a container that prints the numbers from 0 on.
type countedLog struct{ lines, lost int }

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
			n, err := strconv.Atoi(number)
			if expected := log.lines + log.lost; !ok || err != nil || n < expected {
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
