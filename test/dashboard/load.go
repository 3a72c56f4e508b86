package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// load is what a process does over time. All of it follows from a seed.
type load struct {
	random        *rand.Rand
	cores         float64       // on average
	wave          time.Duration // the period of its requests
	phase         float64
	bursts        float64 // how often it works as hard as it can, per step
	burst         int     // steps that this goes on
	memory        float64 // bytes
	sawtooth      time.Duration
	reads, writes float64 // bytes a second
	noise         float64 // the latest, so that it drifts instead of jumping
	reserve       float64 // commit above the private working set, as a part of it
}

func newLoad(r *rand.Rand, scale float64) *load {
	l := &load{
		random: r, cores: scale * (0.005 + 0.4*math.Pow(r.Float64(), 4)), wave: time.Duration(60+r.IntN(240)) * time.Second, phase: r.Float64() * 2 * math.Pi,
		memory: scale * (12 + 380*math.Pow(r.Float64(), 2)) * (1 << 20), reserve: 0.15 + 0.5*r.Float64(),
		reads: scale * math.Pow(10, 2+4*r.Float64()), writes: scale * math.Pow(10, 2+3.5*r.Float64()),
	}
	if r.IntN(3) == 0 {
		l.bursts = 0.015
	}
	if r.IntN(3) == 0 { // a runtime that collects garbage
		l.sawtooth = time.Duration(25+r.IntN(70)) * time.Second
	}
	return l
}

// apply sets what p does in the next step. refused reports whether a limit refused it memory.
func (l *load) apply(p *jobtest.Proc, at, step time.Duration) (refused bool) {
	l.noise = 0.82*l.noise + 0.18*l.random.NormFloat64()
	wave := 1 + 0.35*math.Sin(2*math.Pi*float64(at)/float64(l.wave)+l.phase) + 0.45*l.noise
	if l.burst == 0 && l.random.Float64() < l.bursts {
		l.burst = 4 + l.random.IntN(12)
	}
	busy := l.cores * max(0.02, wave)
	traffic := max(0, wave)
	if l.burst > 0 {
		l.burst--
		busy += 0.7 + 0.2*l.noise
		traffic *= 4
	}
	p.Busy(busy*0.8, busy*0.2)
	memory := l.memory * (1 + 0.02*l.noise)
	if l.sawtooth > 0 {
		memory *= 1 + 0.35*math.Mod(float64(at)/float64(l.sawtooth)+l.phase, 1)
	}
	refused = !p.Commit(uint64(memory * (1 + l.reserve)))
	if !refused {
		p.PrivateWorkingSet(uint64(memory))
	}
	read, written := l.reads*traffic*step.Seconds(), l.writes*traffic*step.Seconds()
	p.Transfer(jobobject.IOAttribution{
		ReadCount: uint64(read/4096) + 1, ReadBytes: uint64(read), WriteCount: uint64(written/4096) + 1, WriteBytes: uint64(written),
	})
	return refused
}
