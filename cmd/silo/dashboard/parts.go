package dashboard

import (
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/siloshim/siloshim/stats"
)

var nan = math.NaN()

// stateView says what is wrong with the machine or the page.
type stateView struct {
	Failure string
	Since   string // when the values are from, if the latest look failed
	Hidden  int
}

func (d *Dashboard) stateLocked() stateView {
	v := stateView{Hidden: d.hidden}
	if d.failure != nil {
		lines := strings.Split(d.failure.Error(), "\n")
		for i, line := range lines {
			lines[i] = printable(line)
		}
		v.Failure = strings.Join(lines, "; ")
		if !d.complete.IsZero() && d.complete.Before(d.latest.Time) {
			v.Since = d.complete.Format(time.TimeOnly)
		}
	}
	return v
}

type eventView struct {
	Time, Machine   string // for people and for programs
	Container, Text string // the container is empty on its page
	Address         string
	Bad             bool
}

func (d *Dashboard) eventsLocked(list *ring[*event], named bool) (views []eventView) {
	sorted := slices.SortedStableFunc(list.latest(), func(a, b *event) int { return b.At.Compare(a.At) }) // one that was counted is later now
	for _, e := range sorted {
		v := eventView{Time: e.At.Format(time.TimeOnly), Machine: e.At.UTC().Format(time.RFC3339), Text: e.text(), Bad: e.Bad}
		if d.latest.Time.Sub(e.At) > 12*time.Hour {
			v.Time = e.At.Format("Jan _2 15:04")
		}
		if named {
			v.Container = shortName(printable(e.Container))
			if h := d.tracked[e.Container]; h != nil {
				v.Address = address(h)
				if h.Pod != "" {
					v.Container = h.label()
				}
			}
		}
		views = append(views, v)
	}
	return views
}

// aboutView is the head of a container's page.
type aboutView struct {
	Status status
	Facts  [][2]string
	Exit   string
}

func (h *history) about(now time.Time, details *Details) aboutView {
	v := aboutView{Status: h.status(now)}
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, [2]string{name, value})
		}
	}
	if id := printable(h.ID); shortID(id) != id {
		add("ID", id)
	}
	add("Pod", printable(h.Pod))
	add("Pod UID", printable(h.PodUID))
	add("Container", printable(h.PodContainer))
	add("Namespace", printable(h.Namespace))
	add("Kind", printable(h.Kind))
	if h.Program != "" {
		add("Program", printable(baseName(h.Program)))
	}
	if !h.Sample.Started.IsZero() {
		add("Started", h.Sample.Started.Format(time.DateTime))
	}
	if h.Restarts > 0 {
		add("Restarts", strconv.Itoa(h.Restarts))
	}
	if h.LastExit != nil && h.Exit == nil {
		add("Exit before", exitText(h.LastExit))
	}
	if h.Sample.Has(stats.MetricMemory) {
		add("Peak commit", bytesText(float64(h.Sample.Memory.PeakCommit)))
	}
	for _, w := range details.Warnings {
		add("Warning", printable(w))
	}
	return v
}

// baseName is the last element of a Windows path.
func baseName(p string) string { return path.Base(strings.ReplaceAll(p, `\`, "/")) }

// limitsView are the limits of a container in words.
type limitsView struct {
	Limits []Limit
	Err    string
}

func (d *Details) view() limitsView {
	var v limitsView
	for _, l := range d.Limits {
		v.Limits = append(v.Limits, Limit{printable(l.Name), printable(l.Value)})
	}
	if d.LimitsErr != nil {
		v.Err = printable(d.LimitsErr.Error())
	}
	return v
}

// processView is a process in the tree.
type processView struct {
	Indent, Image                                    string
	Pid                                              uint32
	Level                                            int
	Cores, Private, Commit, Time, Threads, HandleNum string
}

// processesShown bounds the processes on a page.
const processesShown = 300

type processesView struct {
	List   []processView
	Hidden int
}

func (h *history) processes() processesView {
	var v processesView
	branches := tree(h.Processes)
	if len(branches) > processesShown {
		v.Hidden = len(branches) - processesShown
		branches = branches[:processesShown]
	}
	for _, b := range branches {
		cores := nan
		if load, ok := h.loads[processKey{b.Pid, b.Created}]; ok {
			cores = load
		}
		known := func(f stats.ProcessFields, n uint64) float64 {
			if !b.Has(f) {
				return nan
			}
			return float64(n)
		}
		p := processView{
			Indent: b.Indent(), Image: image(b.Process), Pid: b.Pid, Level: b.Depth + 1, Cores: coresText(cores),
			Private: bytesText(known(stats.KnownPrivate, b.PrivateWorkingSet)), Commit: bytesText(known(stats.KnownMemory, b.Commit)),
			Time: unknown, Threads: unknown, HandleNum: unknown,
		}
		if b.Has(stats.KnownTimes) {
			p.Time = (b.User + b.Kernel).Truncate(10 * time.Millisecond).String()
		}
		if b.Has(stats.KnownThreads) {
			p.Threads = strconv.FormatUint(uint64(b.Threads), 10)
		}
		if b.Has(stats.KnownHandles) {
			p.HandleNum = strconv.FormatUint(uint64(b.Handles), 10)
		}
		v.List = append(v.List, p)
	}
	return v
}

// logLimit is how many lines of a log are shown.
const logLimit = 60

type logLinesView struct {
	Path, Err string
	Lines     []string
}

func logView(d *Details) logLinesView {
	v := logLinesView{Path: printable(d.LogPath), Lines: logLines(d.Log, len(d.Log) >= LogTail, logLimit)}
	if d.LogErr != nil {
		v.Err = printable(d.LogErr.Error())
	}
	return v
}
