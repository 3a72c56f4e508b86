package suite

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// columns of the table, in the order in which they are tested.
var columns = []string{"runs", "exec", "logs", "stats", "probe", "stop", "left behind"}

// table has the results by kind of workload and handler.
type table struct {
	mu   sync.Mutex
	rows map[string]map[string]string
}

func newTable() *table { return &table{rows: map[string]map[string]string{}} }

// set stores a result.
func (t *table) set(kind, handler, column, result string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row := fmt.Sprintf("%s\t%s", kind, handler)
	if t.rows[row] == nil {
		t.rows[row] = map[string]string{}
	}
	t.rows[row][column] = result
}

func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "workload\tsandboxer\t%s\n", strings.Join(columns, "\t")) // a builder never fails
	var rows []string
	for row, results := range t.rows {
		line := row
		for _, column := range columns {
			result := results[column]
			if result == "" {
				result = "-"
			}
			line += "\t" + result
		}
		rows = append(rows, line)
	}
	slices.Sort(rows)
	_, _ = fmt.Fprintln(w, strings.Join(rows, "\n"))
	_ = w.Flush()
	return out.String()
}
