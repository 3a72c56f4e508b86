package limit

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/internal/size"
	"github.com/siloshim/siloshim/jobobject"
)

// None is the value of a flag that removes a limit.
const None = "none"

// setting is one flag.
type setting struct {
	flag, value, usage string
	short              string // one letter, as docker has it
	cpu                bool   // one of the flags that exclude each other
	off                string // the value for no limit, besides None
	set                func(l *jobobject.Limits, text string, m Machine) error
	clear              func(l *jobobject.Limits) // for None
}

// Flags are the limits on a command line.
type Flags struct {
	set    *pflag.FlagSet
	values []string
}

// Register adds the flags to set.
func (f *Flags) Register(set *pflag.FlagSet) {
	f.set, f.values = set, make([]string, len(settings))
	for i, s := range settings {
		set.StringVarP(&f.values[i], s.flag, s.short, "", s.usage)
		set.Lookup(s.flag).Value = &named{Value: set.Lookup(s.flag).Value, kind: s.value}
	}
}

// named is a flag's value whose kind the help shows.
type named struct {
	pflag.Value
	kind string
}

// Type implements [pflag.Value].
func (n *named) Type() string { return n.kind }

// Given reports whether any of the flags was set.
func (f *Flags) Given() bool {
	for _, s := range settings {
		if f.set.Changed(s.flag) {
			return true
		}
	}
	return false
}

// Apply changes base by the flags that were set, and validates the result. Two processor limits at once are an error; one
// replaces those of base.
func (f *Flags) Apply(base jobobject.Limits, m Machine) (jobobject.Limits, error) {
	l := base.Clone()
	var cpu []string
	for _, s := range settings {
		if s.cpu && f.set.Changed(s.flag) {
			cpu = append(cpu, "--"+s.flag)
		}
	}
	if len(cpu) > 1 {
		return l, fmt.Errorf("%s exclude each other; use one", strings.Join(cpu, " and "))
	}
	if len(cpu) == 1 {
		l.CPURate, l.CPUWeight, l.CPUMinRate, l.CPUMaxRate, l.CPUNotify = 0, 0, 0, 0, false
	}
	for i, s := range settings {
		if !f.set.Changed(s.flag) {
			continue
		}
		if err := s.apply(&l, f.values[i], m); err != nil {
			return l, fmt.Errorf("--%s: %w", s.flag, err)
		}
	}
	if l.JobMemory != 0 && l.ProcessMemory > l.JobMemory {
		return l, fmt.Errorf("--process-memory %s is larger than --memory %s; lower the first or raise the second",
			size.Format(l.ProcessMemory), size.Format(l.JobMemory))
	}
	if err := l.Validate(); err != nil {
		return l, fmt.Errorf("limits: %w", err)
	}
	return l, nil
}

// apply sets one limit. A value that would mean no limit is an error: it must not look like a limit in force.
func (s setting) apply(l *jobobject.Limits, text string, m Machine) error {
	if s.clear == nil {
		if strings.EqualFold(text, None) {
			return errors.New("this limit cannot be removed, only changed")
		}
		return s.set(l, text, m)
	}
	without := l.Clone()
	s.clear(&without)
	if strings.EqualFold(text, None) || s.off != "" && strings.EqualFold(text, s.off) {
		*l = without
		return nil
	}
	err := s.set(l, text, m)
	zero := text != "" && strings.Trim(text, "0.") == ""
	if zero && err != nil || err == nil && reflect.DeepEqual(*l, without) {
		return fmt.Errorf("%q is no limit; use %q to remove the limit, or leave the flag out", text, None)
	}
	return err
}
