package limit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// sizes are the units of memory, all of them powers of 1024, as docker and Kubernetes read them.
var sizes = map[string]float64{"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "ki": 1 << 10, "kib": 1 << 10,
	"m": 1 << 20, "mb": 1 << 20, "mi": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "gi": 1 << 30, "gib": 1 << 30,
	"t": 1 << 40, "tb": 1 << 40, "ti": 1 << 40, "tib": 1 << 40}

// rates are the units of network traffic in bytes a second; a bit is an eighth of them, and a thousand is a thousand.
var rates = map[string]float64{"": 1, "bps": 1.0 / 8, "bit": 1.0 / 8, "kbit": 1e3 / 8, "mbit": 1e6 / 8, "gbit": 1e9 / 8,
	"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9}

// ParseBytes reads an amount of memory such as 512m, 512Mi, 1.5GiB or 4096.
func ParseBytes(text string) (uint64, error) {
	return parseUnit(text, sizes, "a size such as 512m, 512Mi or 1.5g")
}

// ParseRate reads a network rate such as 10mbit or 1.5MB; a bare number is bytes a second.
func ParseRate(text string) (uint64, error) {
	text = strings.TrimSuffix(strings.ToLower(text), "/s")
	return parseUnit(text, rates, "a rate such as 10mbit or 2mb/s")
}

func parseUnit(text string, units map[string]float64, want string) (uint64, error) {
	at := strings.LastIndexAny(text, "0123456789.") + 1
	number, err := strconv.ParseFloat(text[:at], 64)
	factor, ok := units[strings.ToLower(strings.TrimSpace(text[at:]))]
	value := number * factor
	if err != nil || !ok || !(value >= 0) || value >= math.MaxUint64 {
		return 0, fmt.Errorf("%q is not %s", text, want)
	}
	return uint64(value), nil
}

// parseFloat reads a number between low, not included, and high.
func parseFloat(text string, high float64) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0) || v > high {
		return 0, fmt.Errorf("%q is not a number above 0 and up to %v", text, high)
	}
	return v, nil
}

// parseWhole reads a whole number from low to high.
func parseWhole(text string, low, high uint64) (uint64, error) {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil || v < low || v > high {
		return 0, fmt.Errorf("%q is not a whole number from %d to %d", text, low, high)
	}
	return v, nil
}

func parseTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a time such as 90s or 1h30m", text)
	}
	return d, nil
}

// Bytes writes an amount of memory for a person.
func Bytes(n uint64) string {
	if n < 1<<10 {
		return strconv.FormatUint(n, 10) + " B"
	}
	v, unit := float64(n)/(1<<10), 0
	for v >= 1024 && unit < 4 {
		v, unit = v/1024, unit+1
	}
	return strconv.FormatFloat(v, 'f', precision(v), 64) + " " + string("KMGTP"[unit]) + "iB"
}

// precision is two digits behind the point for what is not whole and small, so that columns stay narrow.
func precision(v float64) int {
	switch {
	case v == math.Trunc(v):
		return 0
	case v < 10:
		return 2
	}
	return 1
}
