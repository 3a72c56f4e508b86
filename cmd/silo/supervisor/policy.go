package supervisor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Policy is when an ended program is restarted.
type Policy struct {
	// When is "no", "on-failure", "always" or "unless-stopped". The latter two are the same: a stop ends every policy.
	When string
	// Max is how often at most; 0 is without bound.
	Max int
	// Least is the pause before the first restart; each further one is twice as long, up to Most. A program that ran
	// for Most or longer starts over at Least.
	Least, Most time.Duration
}

// ParsePolicy reads no, always, unless-stopped, on-failure or on-failure:5, as docker has them.
func ParsePolicy(text string) (Policy, error) {
	p := Policy{Least: 100 * time.Millisecond, Most: time.Minute}
	when, count, counted := strings.Cut(text, ":")
	p.When = when
	switch {
	case !counted && (when == "no" || when == "always" || when == "unless-stopped" || when == "on-failure"):
		return p, nil
	case counted && when == "on-failure":
		n, err := strconv.Atoi(count)
		if err == nil && n > 0 {
			p.Max = n
			return p, nil
		}
	}
	return p, fmt.Errorf("%q is not no, always, unless-stopped, on-failure or on-failure:COUNT", text)
}

// again reports whether to restart a program that ended with code, after so many restarts.
func (p Policy) again(code uint32, restarts int) bool {
	switch {
	case p.Max > 0 && restarts >= p.Max:
		return false
	case p.When == "always" || p.When == "unless-stopped":
		return true
	}
	return p.When == "on-failure" && code != 0
}

// pause is the time before the next start, from the pause before and how long the program ran.
func (p Policy) pause(last, ran time.Duration) time.Duration {
	if last == 0 || ran >= p.Most {
		return p.Least
	}
	return min(2*last, p.Most)
}
