package jobobject_test

import (
	"math"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

func TestRateOfCPUs_Numbers_AreRoundedDown(t *testing.T) {
	for _, tt := range []struct {
		cpus       float64
		processors int
		want       uint32
	}{
		{0, 8, 0}, {-1, 8, 0}, {math.NaN(), 8, 0},
		{0.5, 1, 5000}, {1, 1, 10000}, {2, 1, 10000}, {math.Inf(1), 4, 10000},
		{1, 3, 3333}, {2, 3, 6666}, {3, 3, 10000},
		{0.29, 1, 2900}, {0.1, 1, 1000}, {0.7, 7, 1000},
		{1, 64, 156}, {1, 65, 153}, {1, 256, 39}, {1, 2048, 4},
		{0.001, 2048, 1}, {1e-300, 1, 1},
		{1, 0, 10000}, {0.5, -3, 5000},
	} {
		if got := jobobject.RateOfCPUs(tt.cpus, tt.processors); got != tt.want {
			t.Errorf("RateOfCPUs(%v, %d) = %d, want %d", tt.cpus, tt.processors, got, tt.want)
		}
	}
}

func TestRateOfPercent_Percentages_AreRoundedDown(t *testing.T) {
	for percent, want := range map[float64]uint32{
		0: 0, -5: 0, 0.001: 1, 0.01: 1, 1: 100, 12.5: 1250, 33.339: 3333, 99.99: 9999, 100: 10000, 250: 10000,
	} {
		if got := jobobject.RateOfPercent(percent); got != want {
			t.Errorf("RateOfPercent(%v) = %d, want %d", percent, got, want)
		}
	}
}

func TestRateOfMHz_Parts_AreRoundedDown(t *testing.T) {
	for _, tt := range []struct {
		mhz        uint64
		processors int
		each       uint64
		want       uint32
	}{
		{1024, 8, 2400, 533}, {0, 8, 2400, 0}, {1024, 8, 0, 0}, {1, 64, 4000, 1},
		{19200, 8, 2400, 10000}, {19199, 8, 2400, 9999}, {50000, 8, 2400, 10000},
		{2400, 96, 2400, 104}, {2400, 0, 2400, 10000},
		{math.MaxUint64, 8, 2400, 10000}, {math.MaxUint64, 2, math.MaxUint64, 10000},
		{1, 2, math.MaxUint64, 1},
	} {
		if got := jobobject.RateOfMHz(tt.mhz, tt.processors, tt.each); got != tt.want {
			t.Errorf("RateOfMHz(%d, %d, %d) = %d, want %d", tt.mhz, tt.processors, tt.each, got, tt.want)
		}
	}
}

func TestRateOfQuota_Quotas_AreRoundedDown(t *testing.T) {
	for _, tt := range []struct {
		quota, period int64
		processors    int
		want          uint32
	}{
		{50000, 100000, 4, 1250}, {200000, 100000, 2, 10000}, {-1, 100000, 4, 0}, {0, 1, 4, 0}, {1, 0, 4, 0}, {1, -1, 4, 0},
		{1000, 100000, 64, 1},
	} {
		if got := jobobject.RateOfQuota(tt.quota, tt.period, tt.processors); got != tt.want {
			t.Errorf("RateOfQuota(%d, %d, %d) = %d, want %d", tt.quota, tt.period, tt.processors, got, tt.want)
		}
	}
}

func TestRate_ToOtherUnits_IsExact(t *testing.T) {
	for _, tt := range []struct {
		rate       uint32
		processors int
		cpus       float64
		percent    float64
		mhz        uint64
	}{
		{10000, 4, 4, 100, 8000}, {0, 4, 4, 100, 8000}, {20000, 4, 4, 100, 8000},
		{5000, 1, 0.5, 50, 1000}, {1250, 8, 1, 12.5, 2000}, {100, 0, 0.01, 1, 20},
	} {
		cpus, percent := jobobject.CPUsOfRate(tt.rate, tt.processors), jobobject.PercentOfRate(tt.rate)
		mhz := jobobject.MHzOfRate(tt.rate, tt.processors, 2000)
		if cpus != tt.cpus || percent != tt.percent || mhz != tt.mhz {
			t.Errorf("rate %d of %d is %v processors, %v %%, %d MHz, want %v, %v, %d",
				tt.rate, tt.processors, cpus, percent, mhz, tt.cpus, tt.percent, tt.mhz)
		}
	}
}

// TestRate_ToCPUsAndBack_IsTheSame takes every rate on some machines to processors and back.
func TestRate_ToCPUsAndBack_IsTheSame(t *testing.T) {
	for _, processors := range []int{1, 2, 3, 7, 12, 64, 96, 2048} {
		for rate := uint32(1); rate <= jobobject.AllProcessors; rate++ {
			cpus := jobobject.CPUsOfRate(rate, processors)
			if got := jobobject.RateOfCPUs(cpus, processors); got != rate {
				t.Fatalf("rate %d on %d processors came back as %d", rate, processors, got)
			}
		}
	}
}

func TestWeightOfShares_AndBack_IsTheLeast(t *testing.T) {
	for shares, want := range map[uint32]uint32{
		0: 0, 1: 1, 1249: 1, 1250: 2, 5000: 5, 9999: 8, 10000: 9, math.MaxUint32: 9,
	} {
		if got := jobobject.WeightOfShares(shares); got != want {
			t.Errorf("WeightOfShares(%d) = %d, want %d", shares, got, want)
		}
	}
	for weight := uint32(0); weight <= 9; weight++ {
		shares := jobobject.SharesOfWeight(weight)
		if got := jobobject.WeightOfShares(shares); got != weight {
			t.Errorf("weight %d is %d shares, which is weight %d", weight, shares, got)
		}
		if shares > 1 && jobobject.WeightOfShares(shares-1) == weight {
			t.Errorf("%d shares are not the least of weight %d", shares, weight)
		}
	}
}
