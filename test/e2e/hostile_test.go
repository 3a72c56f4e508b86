package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

var update = flag.Bool("update", false, "write the table of attempts into SECURITY.md")

// victim is a containerd with a container that must not notice its neighbours.
type victim struct {
	*daemon
	id string
}

// Each container of a hostile program ends, and neither containerd nor the container beside it notices. SECURITY.md has
// the same table.
func TestHostile_EachAttempt_ShimKeepsItsPromises(t *testing.T) {
	d := newDaemon(t)
	v := &victim{d, d.detach(t, workload.Spec("sleep", "900"))}
	var table strings.Builder
	table.WriteString("| a program in a job container | what happened on Wine | what prevents more |\n|---|---|---|\n")
	t.Run("at once", func(t *testing.T) {
		for _, a := range attempts {
			fmt.Fprintf(&table, "| %s | %s | %s |\n", a.name, a.happened, a.prevention)
			t.Run(a.verb, func(t *testing.T) { t.Parallel(); v.try(t, a) })
		}
		t.Run("exit codes", func(t *testing.T) { t.Parallel(); v.exitCodes(t) })
		t.Run("flood", func(t *testing.T) { t.Parallel(); v.flood(t) })
	})
	d.remove(t, v.id)
	d.nothingLeft(t)
	t.Logf("\n%s", &table)
	checkTable(t, table.String())
}

// checkTable compares the table with that of SECURITY.md, or with -update writes it.
func checkTable(t *testing.T, table string) {
	t.Helper()
	const page, begin, end = "../../SECURITY.md", "<!-- attempts -->\n", "<!-- end of attempts -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	have, after, ended := strings.Cut(rest, end)
	switch {
	case !found || !ended:
		t.Errorf("%s has no place for the table", page)
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Error(err)
		}
	case have != table:
		t.Errorf("the table of %s differs; run this test with -update", page)
	}
}

// try runs one attempt. The container beside it must answer afterwards.
func (v *victim) try(t *testing.T, a attempt) {
	id := newID()
	file := filepath.Join(v.dir, id+".result")
	image := filepath.Join(v.dir, id+".exe") // a copy, because one of the attempts replaces it
	program, err := os.ReadFile(v.wine.UnixPath(workload.Payload))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(image, program, 0o755); err != nil {
		t.Fatal(err)
	}
	s := workload.Spec()
	s.Process.Args = append([]string{v.wine.WindowsPath(image), "hostile", v.wine.WindowsPath(file), a.verb}, a.args(v, id)...)
	log := fileURI(v.wine.WindowsPath(filepath.Join(v.dir, id+".log")))
	v.ctr(t, v.runArgs(t, s, id, "-d", "--log-uri", log)...)
	until(t, "the attempt has a result, or its container has ended", func() bool {
		if _, err := os.Stat(file); err == nil {
			return true
		}
		row := v.row(t, id)
		return len(row) < 3 || row[2] == "STOPPED"
	})
	text, _ := os.ReadFile(file) // a program that was terminated has written none
	result := string(text)
	t.Logf("%s: %q", a.name, result)
	if !strings.HasPrefix(result, a.want) {
		t.Errorf("the result is %q, want %s", result, a.want)
	}
	a.check(t, v, id, result)
	if ps := v.ctr(t, "task", "ps", v.id); !strings.Contains(ps, "payload.exe") {
		t.Errorf("the container beside it has the processes\n%s", ps)
	}
	until(t, "no hostile process remains", func() bool { return v.hostile(t, id) == 0 })
}

// hostile counts the processes of a hostile program.
func (v *victim) hostile(t *testing.T, id string) (count int) {
	t.Helper()
	all, err := v.Processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Name() == id+".exe" {
			count++
		}
	}
	return count
}

// Exit codes that have a meaning to the kernel: STILL_ACTIVE, an access violation, -1. ctr shows the lowest byte.
func (v *victim) exitCodes(t *testing.T) {
	for _, code := range []uint32{259, 0xC0000005, 0xFFFFFFFF} {
		r := v.daemon.try(t, v.runArgs(t, workload.Spec("exit", fmt.Sprint(code)), newID(), "--rm")...)
		if r.code != int(uint8(code)) {
			t.Errorf("exit %#x: %d, want %d\n%s", code, r.code, uint8(code), r.stderr)
		}
	}
}

// A log with rotation takes no more than its files, whatever a program prints.
func (v *victim) flood(t *testing.T) {
	log := filepath.Join(v.dir, "flood.log")
	v.daemon.end(t, fileURI(v.wine.WindowsPath(log))+"?max_size=1m&max_files=2", "flood", "20000000")
	files, err := filepath.Glob(log + "*")
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if len(files) != 3 || size > 3<<20 {
		t.Errorf("%d bytes in %q, want 3 MiB at most", size, files)
	}
}
