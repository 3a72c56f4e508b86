package size

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestParse_UnitsOfDockerAndKubernetes_PowersOf1024(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "4096": 4096, "1b": 1, "2k": 2048, "512m": 512 << 20, "512Mi": 512 << 20, "1.5GiB": 3 << 29, "1 TB": 1 << 40, "1.5": 1,
		"512MB": 512 << 20, "512Mb": 512 << 20, "512MiB": 512 << 20, "64KB": 64 << 10, "64kib": 64 << 10, "64K": 64 << 10, "7B": 7, "1G": 1 << 30,
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParse_NotASize_Refused(t *testing.T) {
	for _, text := range []string{"", "m", "-1", "1x", "0x10m", "1.5.5", "NaN", "99999999t", "9999999999999g", "lots"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func TestParseRate_Bits_AreEighthsAndThousands(t *testing.T) {
	for text, want := range map[string]uint64{"10mbit": 1250000, "2MB/s": 2000000, "8bps": 1, "100": 100} {
		if got, err := ParseRate(text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	if got, err := ParseRate("10Mi"); err == nil {
		t.Errorf("10Mi is taken for %d", got)
	}
}

func TestFormat_Bytes_LargestUnit(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1 << 10: "1 KiB", 1536: "1.50 KiB", 15 << 20: "15 MiB", 10<<20 + 1<<19: "10.5 MiB",
		1 << 60: "1024 PiB", math.MaxUint64: "16384 PiB"} {
		if got := Format(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

// FuzzParse: whole bytes are read exactly, and what is accepted looks like an amount.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"512m", "1.5GiB", "4096", "10mbit", "1.5MB/s", "0x1p4", "1e3k", "-0", "99999999999t"} {
		f.Add(seed, uint64(len(seed)))
	}
	amount := regexp.MustCompile(`(?i)^[0-9]*\.?[0-9]*[a-z]*(/s)?$`)
	f.Fuzz(func(t *testing.T, text string, n uint64) {
		n %= 1 << 53
		if got, err := Parse(strconv.FormatUint(n, 10)); err != nil || got != n {
			t.Errorf("%d became %d, %v", n, got, err)
		}
		for _, parse := range []func(string) (uint64, error){Parse, ParseRate} {
			if got, err := parse(text); err == nil && !amount.MatchString(strings.Join(strings.Fields(text), "")) || err != nil && got != 0 {
				t.Errorf("%q is read as %d, %v", text, got, err)
			}
		}
		if Format(n) == "" {
			t.Errorf("%d has no text", n)
		}
	})
}
