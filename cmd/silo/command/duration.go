package command

import (
	"errors"
	"strconv"
	"time"
)

// duration is the value of a flag: seconds, as docker has them, or a duration with units.
type duration time.Duration

// Set implements [pflag.Value].
func (d *duration) Set(text string) error {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		*d = duration(time.Duration(seconds) * time.Second)
		return nil
	}
	parsed, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("give seconds or units, such as 90 or 1m30s")
	case parsed < 0:
		return errors.New("it cannot be negative")
	}
	*d = duration(parsed)
	return nil
}

// String implements [pflag.Value]. The help shows no default of 0.
func (d *duration) String() string {
	if *d == 0 {
		return "0"
	}
	return time.Duration(*d).String()
}

// Type implements [pflag.Value].
func (*duration) Type() string { return "duration" }
