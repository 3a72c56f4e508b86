package command

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/podinfo"
)

// psFields are the fields of --format of ps. Names, Image and CreatedAt are docker's names for what else has a field.
func psFields(a *App) []field[psRow] {
	name := func(r *psRow) any { return r.shown }
	program := func(r *psRow) any { return r.Program }
	started := func(r *psRow) any {
		if r.started.IsZero() {
			return none
		}
		return r.started.Format(time.RFC3339)
	}
	return append([]field[psRow]{
		{"Name", name}, {"Names", name},
		{"ID", func(r *psRow) any { return strings.TrimPrefix(r.shown, r.container.Namespace+"/") }},
		{"Namespace", func(r *psRow) any { return r.container.Namespace }},
		{"Kind", func(r *psRow) any { return r.Kind }},
		{"State", func(r *psRow) any { return string(r.State) }},
		{"Status", func(r *psRow) any { return r.Status }},
		{"Restarts", func(r *psRow) any { return r.Restarts }},
		{"ExitCode", func(r *psRow) any {
			if r.Code == nil {
				return none
			}
			return *r.Code
		}},
		{"Processes", func(r *psRow) any { return r.Processes }},
		{"CPU", func(r *psRow) any { return r.processor() }},
		{"Private", func(r *psRow) any { return r.private() }},
		{"Commit", func(r *psRow) any { return r.commit() }},
		{"Peak", func(r *psRow) any { return r.peak() }},
		{"Program", program}, {"Image", program},
		{"Log", func(r *psRow) any { return r.Log }},
		{"StartedAt", started}, {"CreatedAt", started},
		{"RunningFor", func(r *psRow) any {
			if r.started.IsZero() {
				return none
			}
			return age(a.Now().Sub(r.started)) + " ago"
		}},
	}, podFields(func(r *psRow) *podinfo.Pod { return r.Pod })...)
}

// filters are the values of --filter by their keys. One value of each key must match, and as in docker every label.
type filters map[string][]string

// filterKeys are the keys of --filter of ps.
var filterKeys = []string{"name", "status", "kind", "pod", "label"}

// outcomes are the reasons of an exit, which status= also takes.
var outcomes = []string{"stopped", "killed", "timeout", "memory"}

func parseFilters(texts []string) (filters, error) {
	f := filters{}
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if key != "pod" && key != "label" {
			value = strings.ToLower(value)
		}
		switch {
		case !ok || !slices.Contains(filterKeys, key):
			return nil, fmt.Errorf("--filter %q: the filters are name=PART, status=STATE, kind=KIND, pod=POD and label=KEY[=VALUE]", text)
		case key == "pod" && value == "" || key == "label" && (value == "" || value[0] == '='):
			return nil, fmt.Errorf("--filter %q: want pod=POD, pod=NAMESPACE/POD, label=KEY or label=KEY=VALUE", text)
		case key == "status" && !slices.Contains(node.Statuses, node.Status(value)) && !slices.Contains(outcomes, value):
			return nil, fmt.Errorf("--filter %q: the states are starting, running, restarting, exited, lost and unknown, and of exited ones %s",
				text, strings.Join(outcomes, ", "))
		case key == "kind" && !slices.Contains([]node.Kind{node.Task, node.Run, node.Attach, node.Server}, node.Kind(value)):
			return nil, fmt.Errorf("--filter %q: the kinds are task, run, attach and server", text)
		}
		f[key] = append(f[key], value)
	}
	return f, nil
}

func (f filters) match(c node.Container) bool {
	for key, values := range f {
		matches := func(value string) bool {
			switch key {
			case "name":
				return strings.Contains(strings.ToLower(c.Name()), value)
			case "kind":
				return string(c.Kind) == value
			case "pod":
				return inPod(c, value)
			case "label":
				return hasLabel(c, value)
			}
			return string(c.Status) == value || c.Status == node.Ended && c.Record.Exit.Outcome() == value
		}
		matched := slices.ContainsFunc(values, matches)
		if key == "label" {
			matched = !slices.ContainsFunc(values, func(value string) bool { return !matches(value) })
		}
		if !matched {
			return false
		}
	}
	return true
}

// wrapped breaks a list of words into lines for a help text, each with an indent of two.
func wrapped(text string, width int) string {
	var out strings.Builder
	at := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case at > 0 && at+1+len(word) > width:
			out.WriteString("\n  ")
			at = 0
		case at > 0:
			out.WriteByte(' ')
			at++
		}
		out.WriteString(word)
		at += len(word)
	}
	return out.String()
}
