package node_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/test/sparse"
)

func TestRecords_Write_ReadAndReplaced(t *testing.T) {
	records := node.Records{Dir: t.TempDir() + "/not/yet"}
	if list, err := (node.Node{Records: records, Names: func() ([]string, error) { return nil, nil }}).All(); err != nil || len(list) != 0 {
		t.Errorf("without a directory: %v %v", list, err)
	}
	want := &node.Record{Kind: node.Run, ID: "web", Started: time.Unix(1, 0).UTC(), Exit: &node.Exit{Code: 3, Reason: "exited"}}
	if err := errors.Join(records.Write(&node.Record{ID: "web", Log: "old"}), records.Write(want)); err != nil {
		t.Fatal(err)
	}
	got, err := records.Read("web")
	if diff := cmp.Diff(want, got); diff != "" || err != nil || got.Version != 1 {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := records.Remove("web"); err != nil {
		t.Fatal(err)
	}
	if _, err := records.Read("web"); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("after the removal: %v, want %v", err, node.ErrNotFound)
	}
}

// A name is a directory, and on Windows those that differ in case alone are one. So must be the job and the stop event.
func TestRecords_NamesDifferInCase_OneContainer(t *testing.T) {
	n := machine(t, `\BaseNamedObjects\silo/silo/web`)
	if err := n.Records.Write(&node.Record{ID: "Web", Kind: node.Run}); err != nil {
		t.Fatal(err)
	}
	list, err := n.All()
	if err != nil || len(list) != 1 || list[0].Name() != "silo/Web" || list[0].Record == nil {
		t.Errorf("%v %+v, want one container with the name that was given", err, list)
	}
	if got, err := n.Records.Read("WEB"); err != nil || got.ID != "Web" {
		t.Errorf("Read(WEB) = %+v %v", got, err)
	}
	if upper, lower := node.JobName(node.Own, "WEB"), node.JobName(node.Own, "web"); upper != lower {
		t.Errorf("jobs %s and %s", upper, lower)
	}
	if upper, lower := node.JobName("k8s.io", "WEB"), node.JobName("k8s.io", "web"); upper == lower {
		t.Errorf("both of containerd's ids have the job %s", upper)
	}
	_, end, err := node.ListenStop("WEB")
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if _, _, err := node.ListenStop("web"); !errors.Is(err, jobobject.ErrExist) {
		t.Errorf("a second supervisor: %v, want %v", err, jobobject.ErrExist)
	}
}

// put writes a file of a container as another program does.
func put(t *testing.T, r node.Records, id, file, text string) string {
	t.Helper()
	path := filepath.Join(r.Path(id), file)
	if err := errors.Join(os.MkdirAll(r.Path(id), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRecords_Read_BrokenOrNewer_NamesTheFile(t *testing.T) {
	n := machine(t, `\BaseNamedObjects\silo/silo/alive`)
	for id, text := range map[string]string{
		"empty": "", "cut": `{"id": "cut", "ki`, "other": `{"kind": "run"}`, "newer": `{"version": 99, "id": {"form": "another"}}`, "alive": "{",
	} {
		path := put(t, n.Records, id, "container.json", text)
		if _, err := n.Records.Read(id); err == nil || !strings.Contains(err.Error(), path) || (id == "newer") != errors.Is(err, node.ErrNewer) {
			t.Errorf("Read(%s) = %v, want %s in it", id, err, path)
		}
		want := node.Unknown
		if id == "alive" {
			want = node.Running // the kernel has its job
		}
		if c, err := n.FindAny(id); err != nil || c.Status != want || !strings.Contains(c.Error, path) {
			t.Errorf("FindAny(%s) = %+v %v, want it %s", id, c, err, want)
		}
	}
	if err := n.Records.Remove("cut"); err != nil {
		t.Error(err)
	}
}

// A file that is open cannot be replaced on Windows. The writer waits for its reader.
func TestRecords_Write_WhileRead_Replaced(t *testing.T) {
	r := node.Records{Dir: t.TempDir()}
	if err := r.Write(&node.Record{ID: "web"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.Path("web"), "container.json")
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- r.Write(&node.Record{ID: "web", Restarts: 7}) }()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for begun := false; !begun; {
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended before the write")
		case err := <-written: // the file can be replaced here
			written <- err
			begun = true
		case <-poll.C:
			_, err := os.Stat(path + ".new")
			begun = err == nil
		}
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got, err := r.Read("web"); err != nil || got.Restarts != 7 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestNode_All_EachStatus(t *testing.T) {
	k := jobtest.New()
	k.RecyclePids()
	alive, err := k.Place("", "silo.exe", 4)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := k.Place("", "silo.exe", 4)
	if err != nil {
		t.Fatal(err)
	}
	n := machine(t, `\BaseNamedObjects\silo/silo/runs`, `\BaseNamedObjects\silo/silo/restarts`, `\BaseNamedObjects\silo/silo/orphan`,
		`\BaseNamedObjects\silo/silo/over`, `\BaseNamedObjects\silo/silo/unrecorded`, `\Container_q1`, `\Container_ended`)
	n.Records.Kernel = k
	exit := &node.Exit{Code: 3, Reason: "exited"}
	for _, r := range []*node.Record{
		{ID: "begins", Kind: node.Run, Supervisor: alive.Pid(), Status: node.Starting},
		{ID: "runs", Kind: node.Run, Supervisor: alive.Pid(), Status: node.Running},
		{ID: "earlier", Kind: node.Run, Supervisor: alive.Pid(), Started: k.Now()}, // by a release without a status
		{ID: "restarts", Kind: node.Run, Supervisor: alive.Pid(), Status: node.Restarting, LastExit: exit},
		{ID: "over", Kind: node.Run, Supervisor: alive.Pid(), Status: node.Ended, Exit: exit},
		{ID: "lost", Kind: node.Run, Supervisor: gone.Pid(), Status: node.Running},
		{ID: "orphan", Kind: node.Run, Supervisor: gone.Pid(), Status: node.Running},
		{ID: "q1", Kind: node.Server, System: "q1", Supervisor: alive.Pid(), Status: node.Running},
		{ID: "q2", Kind: node.Server, System: "q2", Supervisor: alive.Pid(), Status: node.Starting},
		{ID: "ended", Kind: node.Server, System: "ended", Supervisor: gone.Pid(), Exit: exit},
	} {
		if err := n.Records.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	put(t, n.Records, "broken", "container.json", "{")
	gone.Exit(0)
	k.Advance(time.Second)
	if later, err := k.Place("", "other.exe", 4); err != nil || later.Pid() != gone.Pid() {
		t.Fatalf("the pid is not in use again: %v", err)
	}
	list, err := n.All()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range list {
		got[c.Name()] = fmt.Sprint(c.Kind, " ", c.Status, " ", c.Living())
	}
	want := map[string]string{
		"silo/begins": "run starting true", "silo/runs": "run running true", "silo/earlier": "run running true",
		"silo/restarts": "run restarting true", "silo/over": "run exited false", "silo/lost": "run lost false",
		"silo/orphan":     "run lost true", // its members run on
		"silo/unrecorded": "run running true", "silo/broken": "run unknown false",
		"silo/q1": "server running true", "silo/q2": "server starting true", "silo/ended": "server exited false",
		"hcs/ended": "server running true", // another container has the id by now
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
	if n := k.OpenHandles(); n != 0 {
		t.Errorf("%d handles are left open", n)
	}
}

func TestRecords_Launch_RoundTripsEncryptedOnWindows(t *testing.T) {
	r := node.Records{Dir: t.TempDir()}
	if _, err := r.ReadLaunch("web"); !errors.Is(err, node.ErrNoLaunch) {
		t.Errorf("none is stored: %v, want %v", err, node.ErrNoLaunch)
	}
	want := &node.Launch{Args: []string{"run", "--", "app", "--password", "hush"}, Dir: `C:\work`, Env: []string{"SECRET=hush", "=C:=C:\\"}}
	for range 2 {
		if err := r.WriteLaunch("Web", want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := r.ReadLaunch("web")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	file := filepath.Join(r.Path("web"), "launch.json")
	text, err := os.ReadFile(file)
	var stored struct {
		Protection string
		Data       []byte
	}
	if err := errors.Join(err, json.Unmarshal(text, &stored)); err != nil {
		t.Fatal(err)
	}
	if encrypted := !strings.Contains(string(stored.Data), "hush"); encrypted != (runtime.GOOS == "windows") || encrypted != (stored.Protection == "dpapi-user") {
		t.Errorf("protection %s, and a secret is readable: %v", stored.Protection, !encrypted)
	}
	for _, broken := range []string{"", "{", `{"version":1,"protection":"rot13","data":""}`, `{"version":9}`} {
		put(t, r, "web", "launch.json", broken)
		if _, err := r.ReadLaunch("web"); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want an error with %s", broken, err, file)
		}
	}
}

func TestRecords_Rename_TakesLogAndLaunch(t *testing.T) {
	r := node.Records{Dir: t.TempDir()}
	for _, to := range []string{"new", "New"} { // the second time in case alone
		rec := &node.Record{ID: "old", Kind: node.Run, Exit: &node.Exit{Code: 3}, Log: filepath.Join(r.Path("old"), "output.log")}
		if to == "New" {
			rec = &node.Record{ID: "new", Kind: node.Run, Exit: &node.Exit{Code: 3}, Log: filepath.Join(r.Path("new"), "output.log")}
		} else {
			put(t, r, "old", "output.log", "text")
			if err := errors.Join(r.Write(rec), r.WriteLaunch("old", &node.Launch{Dir: "d"})); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Rename(rec, to); err != nil {
			t.Fatal(err)
		}
		got, err := r.Read(to)
		if err != nil || got.ID != to || got.Exit == nil {
			t.Fatalf("%+v %v", got, err)
		}
		if text, err := os.ReadFile(got.Log); err != nil || string(text) != "text" {
			t.Errorf("log %s: %q %v", got.Log, text, err)
		}
		if l, err := r.ReadLaunch(to); err != nil || l.Dir != "d" {
			t.Errorf("launch: %+v %v", l, err)
		}
	}
	if _, err := r.Read("old"); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("the old name: %v", err)
	}
	if err := r.Write(&node.Record{ID: "other"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Rename(&node.Record{ID: "other"}, "NEW"); !errors.Is(err, jobobject.ErrExist) {
		t.Errorf("a name that is in use: %v, want %v", err, jobobject.ErrExist)
	}
}

func TestRecords_Read_HugeFile_IsRefused(t *testing.T) {
	records := node.Records{Dir: t.TempDir()}
	if err := records.Write(&node.Record{ID: "web"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(records.Path("web"), "container.json")
	sparse.File(t, path)
	_, err := records.Read("web")
	sparse.Refused(t, path, err)
}
