package stats_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// holdKey makes the test binary a process that holds so many bytes of memory until its input ends.
const holdKey = "SILO_STATS_HOLD"

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(holdKey)); err == nil {
		hold(n)
		return
	}
	os.Exit(m.Run())
}

var held []byte

func hold(n int) {
	const page = 4096
	held = make([]byte, n)
	for i := 0; i < n; i += page {
		held[i] = 1
	}
	os.Stdout.WriteString("ready\n")
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the test
	held = nil
}

// counting is a kernel that counts the queries of a sample.
type counting struct {
	jobobject.Kernel
	n, machine atomic.Int64
}

func (c *counting) Accounting(h jobobject.Handle) (jobobject.Accounting, error) {
	c.n.Add(1)
	return c.Kernel.Accounting(h)
}

func (c *counting) MemoryUsage(h jobobject.Handle) (jobobject.MemoryUsage, error) {
	c.n.Add(1)
	return c.Kernel.MemoryUsage(h)
}

func (c *counting) IOAttribution(h jobobject.Handle) (jobobject.IOAttribution, error) {
	c.n.Add(1)
	return c.Kernel.IOAttribution(h)
}

func (c *counting) ProcessIDs(h jobobject.Handle, pids []uint32) (int, int, error) {
	c.n.Add(1)
	return c.Kernel.ProcessIDs(h, pids)
}

func (c *counting) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	c.n.Add(1)
	return c.Kernel.OpenJob(name, access)
}

func (c *counting) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	c.n.Add(1)
	return c.Kernel.OpenProcess(pid, access)
}

func (c *counting) IsProcessInJob(process, job jobobject.Handle) (bool, error) {
	c.n.Add(1)
	return c.Kernel.IsProcessInJob(process, job)
}

func (c *counting) ProcessMemory(h jobobject.Handle) (jobobject.ProcessMemory, error) {
	c.n.Add(1)
	return c.Kernel.ProcessMemory(h)
}

func (c *counting) ExitCode(h jobobject.Handle) (uint32, bool, error) {
	c.n.Add(1)
	return c.Kernel.ExitCode(h)
}

func (c *counting) CloseHandle(h jobobject.Handle) error {
	c.n.Add(1)
	return c.Kernel.CloseHandle(h)
}

func (c *counting) SystemProcesses(list []jobobject.SystemProcess) ([]jobobject.SystemProcess, error) {
	c.machine.Add(1)
	return c.Kernel.SystemProcesses(list)
}

// holders starts processes in a new job of this machine that has the name of a silo. Each holds so many bytes.
func holders(t *testing.T, id string, bytes ...int) (*jobobject.Job, *counting) {
	t.Helper()
	k := &counting{Kernel: jobobject.System()}
	job, err := jobobject.Create(jobobject.Options{Name: stats.SiloName(id), KillOnClose: true, TrackIO: true, Kernel: k})
	if errors.Is(err, jobobject.ErrNotSupported) {
		t.Skip("the kernel has no job objects")
	}
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inR, inW, err := os.Pipe()
	outR, outW, err2 := os.Pipe()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(inW.Close(), inR.Close(), outR.Close(), outW.Close(), job.Close()); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(outR)
	for _, n := range bytes {
		p, err := job.Start(jobobject.ProcessOptions{
			Application: exe, CommandLine: `"` + exe + `"`, Stdin: inR, Stdout: outW,
			Env: append(os.Environ(), holdKey+"="+strconv.Itoa(n)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if !lines.Scan() {
			t.Fatalf("a process ended early: %v", lines.Err())
		}
	}
	return job, k
}

// TestG1RealCalls is G1 on this machine's kernel, through a seam that counts.
func TestG1RealCalls(t *testing.T) {
	id := "g1-" + strconv.Itoa(os.Getpid())
	job, k := holders(t, id, 1, 1, 1, 1)
	pids, err := job.Pids()
	if err != nil || len(pids) < 4 {
		t.Fatalf("pids = %v, %v", pids, err)
	}
	n := int64(len(pids))
	warm := stats.NewCollector(job, stats.Options{KeepHandles: true})
	defer warm.Release()
	cold := stats.NewSiloCollector(id, stats.NamedOptions{Kernel: k})
	started := time.Now()
	sampleOf(warm, started)
	for range 3 {
		k.n.Store(0)
		sampleOf(warm, started)
		if got := k.n.Load(); got > 3+n {
			t.Errorf("%d calls warm for %d processes, want at most %d", got, n, 3+n)
		}
		k.n.Store(0)
		sampleOf(cold, started)
		if got := k.n.Load(); got > 6+4*n {
			t.Errorf("%d calls cold for %d processes, want at most %d", got, n, 6+4*n)
		}
	}
	if k.machine.Load() != 0 {
		t.Error("the list of the machine was queried")
	}
	if allocs := testing.AllocsPerRun(20, func() { sampleOf(warm, started) }); allocs != 0 {
		t.Errorf("%v allocations a sample, want none", allocs)
	}
}

// TestRealKernel_Metrics_AgreeWithTheProcesses compares what the kernel says of two processes with the one difference between them, within 5 %.
func TestRealKernel_Metrics_AgreeWithTheProcesses(t *testing.T) {
	const more = 256 << 20
	job, k := holders(t, "metrics-"+strconv.Itoa(os.Getpid()), 1, 1+more)
	c := stats.NewCollector(job, stats.Options{})
	list, err := c.Processes(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	within := func(what string, got, want uint64) {
		t.Helper()
		if got < want-want/20 || got > want+want/20 {
			t.Errorf("%s = %d KiB, want %d", what, got>>10, want>>10)
		}
	}
	var private, commit uint64
	var large, small *stats.Process // the hosts of their consoles are smaller than both
	for i := range list {
		p := &list[i]
		private += p.PrivateWorkingSet
		commit += p.Commit
		switch {
		case large == nil || p.PrivateWorkingSet > large.PrivateWorkingSet:
			large, small = p, large
		case small == nil || p.PrivateWorkingSet > small.PrivateWorkingSet:
			small = p
		}
	}
	if small == nil {
		t.Fatalf("processes = %+v, want two", list)
	}
	within("difference in private working set", large.PrivateWorkingSet-small.PrivateWorkingSet, more)
	within("difference in commit", large.Commit-small.Commit, more)
	s := sampleOf(c, time.Now())
	within("private working set of all", s.Memory.PrivateWorkingSet, private)
	within("commit of all", s.Memory.Commit, commit)
	agree(t, k, job, list)
}

// agree checks that the list of the node names the same processes.
func agree(t *testing.T, k jobobject.Kernel, job *jobobject.Job, list []stats.Process) {
	t.Helper()
	lists, err := stats.NewNode(k).Processes(context.Background(), []*jobobject.Job{job})
	if err != nil || len(lists[0]) != len(list) {
		t.Fatalf("%d processes alone, %d on the node, %v", len(list), len(lists[0]), err)
	}
	for i, p := range list {
		if q := lists[0][i]; q.Pid != p.Pid || q.Image != p.Image || !q.Created.Equal(p.Created) || q.Parent != p.Parent {
			t.Errorf("alone %+v, on the node %+v", p, q)
		}
	}
}
