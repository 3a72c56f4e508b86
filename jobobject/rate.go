package jobobject

import (
	"math"
	"math/bits"
)

// AllProcessors is the [Limits].CPURate of all processors of the machine: 100 percent,
// in hundredths of a percent. The functions from RateOfCPUs to RateOfQuota return that
// unit. They round down, but not to 0, which means no limit, and return AllProcessors
// at most. They count a machine without processors as one with one.
const AllProcessors = 10000

// RateOfCPUs is the rate of cpus processors of a machine that has processors of them;
// 0.5 is half of one. For 0, a negative number and NaN it is 0, no limit.
func RateOfCPUs(cpus float64, processors int) uint32 {
	return rateOfPart(cpus / float64(max(1, processors)))
}

// RateOfPercent is the rate of a percentage of the whole machine.
func RateOfPercent(percent float64) uint32 { return rateOfPart(percent / 100) }

// RateOfMHz is the rate of a part of the machine's cycles: mhz of processors that
// run at processorMHz each. If either is 0 the rate is 0, no limit.
func RateOfMHz(mhz uint64, processors int, processorMHz uint64) uint32 {
	if mhz == 0 || processorMHz == 0 {
		return 0
	}
	hi, whole := bits.Mul64(processorMHz, uint64(max(1, processors)))
	if hi == 0 && mhz >= whole {
		return AllProcessors
	}
	if hi != 0 {
		whole = math.MaxUint64
	}
	hi, lo := bits.Mul64(mhz, AllProcessors)
	if hi >= whole {
		return AllProcessors
	}
	rate, _ := bits.Div64(hi, lo, whole)
	return uint32(min(max(1, rate), AllProcessors))
}

// RateOfQuota is the rate of quota out of each period of one processor, as Linux
// control groups and Kubernetes state it, both in the same unit. If either is not
// positive the rate is 0, no limit.
func RateOfQuota(quota, period int64, processors int) uint32 {
	if quota <= 0 || period <= 0 {
		return 0
	}
	return RateOfCPUs(float64(quota)/float64(period), processors)
}

// rateOfPart rounds to the nearest representable rate first where that is as good
// as equal, so that 0.29 of one processor is 2900 and not 2899.
func rateOfPart(part float64) uint32 {
	if !(part > 0) {
		return 0
	}
	rate := part * AllProcessors
	if nearest := math.Round(rate); math.Abs(rate-nearest) < 1e-6 {
		rate = nearest
	}
	return uint32(min(max(1, math.Floor(rate)), AllProcessors))
}

// CPUsOfRate is the number of processors of rate, on a machine that has processors of
// them. For 0, no limit, it is all of them.
func CPUsOfRate(rate uint32, processors int) float64 {
	return PercentOfRate(rate) / 100 * float64(max(1, processors))
}

// PercentOfRate is rate as a percentage of the whole machine. For 0, no limit, it is
// 100.
func PercentOfRate(rate uint32) float64 {
	if rate == 0 || rate > AllProcessors {
		rate = AllProcessors
	}
	return float64(rate) / (AllProcessors / 100)
}

// MHzOfRate is rate as a part of the machine's cycles, of processors that run at
// processorMHz each. For 0, no limit, it is all of them.
func MHzOfRate(rate uint32, processors int, processorMHz uint64) uint64 {
	return uint64(CPUsOfRate(rate, processors) * float64(processorMHz))
}

// WeightOfShares is the [Limits].CPUWeight, 1 to 9, of the shares of a Windows
// container, 1 to 10000. For 0 shares it is 0, no weight.
func WeightOfShares(shares uint32) uint32 {
	if shares == 0 {
		return 0
	}
	return 1 + (maxCPUWeight-1)*min(shares, AllProcessors)/AllProcessors
}

// SharesOfWeight is the least number of shares that [WeightOfShares] converts to weight.
func SharesOfWeight(weight uint32) uint32 {
	if weight == 0 {
		return 0
	}
	const steps = maxCPUWeight - 1
	return max(1, (min(weight, maxCPUWeight)-1)*AllProcessors/steps)
}
