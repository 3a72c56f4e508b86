package node_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// machine is a node with these job objects.
func machine(t *testing.T, paths ...string) node.Node {
	return node.Node{
		Names:   func() ([]string, error) { return paths, nil },
		Records: node.Records{Dir: t.TempDir()},
	}
}

func TestNode_Containers_OfAllMakers(t *testing.T) {
	n := machine(t, `\BaseNamedObjects\silo/k8s.io/web`, `\Container_4711`, `\BaseNamedObjects\silo/silo/mine`, `\BaseNamedObjects\silo/silo/taken`,
		`\BaseNamedObjects\silo/silo/over`, `\BaseNamedObjects\another`, `\BaseNamedObjects\silo/`, `\BaseNamedObjects\silo/a/b/c`, `\Container_`)
	for _, r := range []*node.Record{
		{ID: "mine", Kind: node.Run}, {ID: "taken", Kind: node.Attach}, {ID: "over", Kind: node.Run, Exit: &node.Exit{Code: 1}},
	} {
		if err := n.Records.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	list, err := n.Containers()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range list {
		got[c.Name()] = string(c.Kind) + " " + c.Job
	}
	want := map[string]string{
		"hcs/4711": `server \Container_4711`, "k8s.io/web": `task Global\silo/k8s.io/web`,
		"silo/mine": `run Global\silo/silo/mine`, "silo/taken": `attach Global\silo/silo/taken`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
}

func TestExit_Meaning_OfKnownCodes(t *testing.T) {
	for want, e := range map[string]node.Exit{
		"": {Code: 7, Reason: "exited"}, "success": {Reason: "exited"}, "terminated, as by silo kill": {Code: 137, Reason: "exited"}, "access violation (0xC0000005)": {Code: 0xC0000005, Reason: "exited"},
		"--timeout ended it": {Code: 124, Reason: "timeout"}, "it was terminated, as by silo kill, or because it did not exit after the stop signals": {Code: 137, Reason: "killed"},
		"it ended after the memory limit refused it an allocation": {Code: 2, Reason: "memory"}, "ended by Ctrl+C or Ctrl+Break (0xC000013A)": {Code: 0xC000013A, Reason: "stopped"},
	} {
		if got := e.Meaning(); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
}

func TestSignal_NotAMember_Refused(t *testing.T) {
	k := jobtest.New()
	job, err := jobobject.Create(jobobject.Options{Name: "job", Kernel: k, KillOnClose: true})
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan uint32, 1)
	k.Program("app.exe", func(p *jobtest.Proc) uint32 {
		events := p.Events()
		heard <- 99
		select {
		case e := <-events:
			heard <- uint32(e)
		case <-p.Done():
		}
		return 0
	})
	process, err := job.Start(jobobject.ProcessOptions{CommandLine: "app.exe"})
	if err != nil {
		t.Fatal(err)
	}
	<-heard // it has a handler
	other, err := k.Place("", "other.exe", 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Signal(k, "job", other.Pid(), 1); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("another process: %v, want %v", err, jobobject.ErrNotExist)
	}
	if err := node.Terminate(k, "job", other.Pid(), 1); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("another process: %v, want %v", err, jobobject.ErrNotExist)
	}
	if err := node.Signal(k, "job", process.Pid(), 1); err != nil {
		t.Fatal(err)
	}
	if e := <-heard; e != 1 {
		t.Errorf("event %d, want 1", e)
	}
	other.Exit(0)
	if err := errors.Join(process.Close(), job.Close()); err != nil {
		t.Error(err)
	}
	k.Wait()
	if n := k.OpenHandles(); n != 0 {
		t.Errorf("%d handles are left open", n)
	}
}

func TestListenStop_Request_ReachesOneListener(t *testing.T) {
	if err := node.RequestStop("x"); !errors.Is(err, node.ErrNotFound) {
		t.Errorf("without a listener: %v, want %v", err, node.ErrNotFound)
	}
	requested, end, err := node.ListenStop("x")
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if _, _, err := node.ListenStop("x"); !errors.Is(err, jobobject.ErrExist) {
		t.Errorf("a second listener: %v, want %v", err, jobobject.ErrExist)
	}
	if err := node.RequestStop("x"); err != nil {
		t.Fatal(err)
	}
	<-requested
}
