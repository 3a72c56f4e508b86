// Package size reads and writes amounts of bytes.
//
// Units of memory are powers of 1024, as docker and Kubernetes read them: 512m, 512Mi and 512MiB are the same.
// github.com/docker/go-units does not take the units of Kubernetes, and reads an amount that is out of range as a
// negative one.
package size

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// memory are the units of memory.
var memory = map[string]float64{"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "ki": 1 << 10, "kib": 1 << 10,
	"m": 1 << 20, "mb": 1 << 20, "mi": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "gi": 1 << 30, "gib": 1 << 30,
	"t": 1 << 40, "tb": 1 << 40, "ti": 1 << 40, "tib": 1 << 40}

// rates are the units of network traffic in bytes a second; a bit is an eighth of them, and a thousand is a thousand.
var rates = map[string]float64{"": 1, "bps": 1.0 / 8, "bit": 1.0 / 8, "kbit": 1e3 / 8, "mbit": 1e6 / 8, "gbit": 1e9 / 8,
	"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9}

// Parse reads an amount of memory such as 512m, 512Mi, 1.5GiB or 4096, in bytes. Parts of a byte are cut off.
func Parse(text string) (uint64, error) {
	return parse(text, memory, "a size such as 512m, 512Mi or 1.5g")
}

// ParseRate reads a network rate such as 10mbit or 1.5MB, in bytes a second. A bare number is bytes a second.
func ParseRate(text string) (uint64, error) {
	text = strings.TrimSuffix(strings.ToLower(text), "/s")
	return parse(text, rates, "a rate such as 10mbit or 2mb/s")
}

func parse(text string, units map[string]float64, want string) (uint64, error) {
	at := strings.LastIndexAny(text, "0123456789.") + 1
	number, err := strconv.ParseFloat(text[:at], 64)
	if strings.Trim(text[:at], "0123456789.") != "" { // a sign, an exponent or a hexadecimal number
		err = strconv.ErrSyntax
	}
	factor, ok := units[strings.ToLower(strings.TrimSpace(text[at:]))]
	value := number * factor
	if err != nil || !ok || !(value >= 0) || value >= math.MaxUint64 {
		return 0, fmt.Errorf("%q is not %s", text, want)
	}
	return uint64(value), nil
}

// Format writes an amount of memory in its largest unit, with at most two digits behind the point.
func Format(n uint64) string {
	if n < 1<<10 {
		return strconv.FormatUint(n, 10) + " B"
	}
	v, unit := float64(n)/(1<<10), 0
	for v >= 1024 && unit < 4 {
		v, unit = v/1024, unit+1
	}
	return strconv.FormatFloat(v, 'f', precision(v), 64) + " " + string("KMGTP"[unit]) + "iB"
}

// precision keeps the columns of a table narrow.
func precision(v float64) int {
	switch {
	case v == math.Trunc(v):
		return 0
	case v < 10:
		return 2
	}
	return 1
}
