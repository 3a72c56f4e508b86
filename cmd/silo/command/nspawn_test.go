package command_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// spawned is a simulated machine with the service, and a file of hostcompute_nspawn for it.
type spawned struct {
	*world
	service *hcstest.Service
	machine *containertest.Machine
	drive   string // a prefix of paths that Windows takes for absolute
	config  string
}

func newSpawned(t *testing.T) *spawned {
	t.Helper()
	s := &spawned{world: newWorld(t), service: hcstest.New(), machine: &containertest.Machine{}}
	s.drive = s.dir + `\`
	if filepath.VolumeName(s.dir) == "" {
		// Here a file may be called C:\layer, so the paths of the file lead into the working directory.
		t.Chdir(s.dir)
		s.drive = `C:\`
	}
	s.app.Service = &hcs.Client{Service: s.service}
	s.app.Storage, s.app.Network, s.app.Accounts = s.machine, s.machine, s.machine
	s.app.Node.Records.Dir = s.drive + "state"
	for path, text := range map[string]string{s.drive + "work/mark": "", s.drive + "layer/layerchain.json": fmt.Sprintf("[%q]", s.drive+"base")} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	s.config = s.drive + "config.json"
	text, err := json.Marshal(schema.NspawnConfig{
		ProcessDirectory: s.drive + "work", ProcessExecutable: "hello.exe", ProcessArguments: []string{"foo", "two words"},
		MaxRAMMB: 512, CPUsCount: 1, CPUAffinity: 0, MaxCPUPercent: 25, MaxStorageIOPS: 1024, MaxStorageBPS: 10 << 20,
		MappedDirectory: `c:\inside`, StdoutFilename: "out.txt", ParentLayerDirectory: s.drive + "layer",
	})
	if err := errors.Join(err, os.WriteFile(s.config, text, 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.service.Wait()
		hcstest.Settled(t, s.service, s.app.Service)
		if held := s.machine.Held(); len(held) > 0 {
			t.Errorf("left on the machine: %v", held)
		}
	})
	return s
}

// empty fails the test if a record or a layer is left.
func (s *spawned) empty(t *testing.T) {
	t.Helper()
	if left, err := os.ReadDir(s.app.Node.Records.Dir); err == nil && len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}

func TestNspawn_Config_RunsTheProgram(t *testing.T) {
	s := newSpawned(t)
	var document schema.ComputeSystem
	s.service.Program("hello.exe", func(p *hcstest.Proc) uint32 {
		document, _ = s.service.Document(fmt.Sprintf("nspawn-%d", os.Getpid()))
		fmt.Fprintf(p.Stdout, "%q in %s\n", p.Args[1:], p.Parameters.WorkingDirectory)
		fmt.Fprintln(p.Stderr, "to the other")
		return 9
	})
	for range 2 {
		if code := s.silo(t, "nspawn", "-c", s.config); code != 9 {
			t.Fatalf("exit code %d, want the program's 9: %s", code, &s.Stderr)
		}
		if got := s.Stdout.String(); got != `["foo" "two words"] in c:\inside`+"\n" {
			t.Errorf("stdout %q", got)
		}
		if !strings.Contains(s.Stderr.String(), "to the other\n") || !strings.Contains(s.Stderr.String(), "cpus_count") {
			t.Errorf("stderr %q", &s.Stderr)
		}
	}
	out, err := os.ReadFile(s.drive + `work\out.txt`)
	if err != nil || strings.Count(string(out), "two words") != 2 || strings.Count(string(out), "to the other") != 2 {
		t.Errorf("the file has %q, %v; want the output of both runs", out, err)
	}
	c := document.Container
	if c == nil || c.Memory.SizeInMB != 512 || c.Processor.Maximum != 2500 || c.Processor.Count != 0 || c.Storage.QoS.IopsMaximum != 1024 ||
		len(c.Storage.Layers) != 2 || c.MappedDirectories[0].ContainerPath != `c:\inside` || document.Owner != "silo" {
		t.Errorf("the service was told %+v", document)
	}
	s.empty(t)
}

// TestNspawn_StepFails_AllRemoved: the error of the step is printed, no program runs, and all that was made before is removed.
func TestNspawn_StepFails_AllRemoved(t *testing.T) {
	broken := errors.New("broken on purpose")
	for name, breakIt := range map[string]func(*spawned){
		"Activate":      func(s *spawned) { s.machine.Fail("Activate", 0, 1, broken) },
		"Prepare":       func(s *spawned) { s.machine.Fail("Prepare", 0, 1, broken) },
		"Volume":        func(s *spawned) { s.machine.Fail("Volume", 0, 1, broken) },
		"CreateSystem":  func(s *spawned) { s.service.Fault("CreateSystem", hcstest.Fault{Err: broken}) },
		"StartSystem":   func(s *spawned) { s.service.Fault("StartSystem", hcstest.Fault{Err: broken}) },
		"CreateProcess": func(s *spawned) { s.service.Fault("CreateProcess", hcstest.Fault{Err: broken}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpawned(t)
			s.service.Program("hello.exe", func(*hcstest.Proc) uint32 { t.Error("the program was started"); return 0 })
			breakIt(s)
			if code := s.silo(t, "nspawn", "-c", s.config); code != 125 || !strings.Contains(s.Stderr.String(), "broken on purpose") {
				t.Errorf("%d: %s", code, &s.Stderr)
			}
			s.empty(t)
		})
	}
}

func TestNspawn_NoSuchProgram_ExitCode127(t *testing.T) {
	s := newSpawned(t)
	if code := s.silo(t, "nspawn", "-c", s.config); code != 127 || !strings.Contains(s.Stderr.String(), "no such program in the container") {
		t.Errorf("%d: %s", code, &s.Stderr)
	}
	s.empty(t)
}

// TestStop_ServerRun_SignalReachesTheProgram: silo stop reaches the program, and its answer is the exit code.
func TestStop_ServerRun_SignalReachesTheProgram(t *testing.T) {
	s := newSpawned(t)
	started := make(chan struct{})
	s.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
		fmt.Fprint(p.Stdout, p.Parameters.Environment["MODE"], " as ", p.Parameters.User)
		close(started)
		select {
		case signal := <-p.Signals():
			if signal == schema.CtrlC {
				return 3
			}
		case <-p.Done():
		}
		return 1
	})
	asked := make(chan error, 1)
	go func() {
		<-started
		asked <- node.RequestStop("box")
	}()
	code := s.silo(t, "run", "--server", "--layer", s.drive+"layer", "--name", "box", "--memory", "64m",
		"--user", "ContainerUser", "--env", "MODE=fast", "--", "app.exe")
	if err := <-asked; err != nil || code != 3 || s.Stdout.String() != "fast as ContainerUser" {
		t.Errorf("%v, exit code %d, want 3: %q %s", err, code, &s.Stdout, &s.Stderr)
	}
	if code := s.silo(t, "wait", "box"); code != 0 || s.Stdout.String() != "3\n" {
		t.Errorf("wait: %d %q %s", code, &s.Stdout, &s.Stderr)
	}
	if code := s.silo(t, "cleanup", "--yes"); code != 0 {
		t.Error(code, &s.Stderr)
	}
	s.empty(t)
}

// TestPs_ServerRun_IsOneContainer: the kernel has its job by the id of the service, and silo has its record.
func TestPs_ServerRun_IsOneContainer(t *testing.T) {
	s := newSpawned(t)
	started, end := make(chan struct{}), make(chan struct{})
	s.service.Program("app.exe", func(*hcstest.Proc) uint32 { close(started); <-end; return 3 })
	s.app.Node.Names = func() ([]string, error) {
		if _, ok := s.service.Document("Box"); ok {
			return []string{`\Container_Box`}, nil
		}
		return nil, nil
	}
	job, err := jobobject.Create(jobobject.Options{Name: `\Container_Box`, Kernel: s.Kernel}) // as the service makes it
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	done := make(chan int)
	other := *s.app // prints elsewhere
	other.Stdout, other.Stderr = &strings.Builder{}, &strings.Builder{}
	go func() {
		done <- other.Main(t.Context(), "silo", []string{"run", "--server", "--layer", s.drive + "layer", "--name", "Box", "--", "app.exe"})
	}()
	<-started
	for ref, want := range map[string]string{"box": "server silo Box", "silo/BOX": "server silo Box", "hcs/Box": ""} {
		s.silo(t, "inspect", "--format", `{{.kind}} {{.namespace}} {{.system}}`, ref)
		if got := strings.TrimSpace(s.Stdout.String()); got != want {
			t.Errorf("inspect %s: %q %s, want %q", ref, got, &s.Stderr, want)
		}
	}
	if s.silo(t, "ps", "-aq", "--filter", "name=box"); s.Stdout.String() != "silo/Box\n" {
		t.Errorf("ps lists %q, want one container", &s.Stdout)
	}
	close(end)
	if code := <-done; code != 3 {
		t.Errorf("exit code %d: %s", code, other.Stderr)
	}
	if s.silo(t, "ps", "-a", "--filter", "kind=server", "--format", "{{.Name}} {{.State}} {{.ExitCode}}"); s.Stdout.String() != "silo/Box exited 3\n" {
		t.Errorf("ps lists %q after the exit", &s.Stdout)
	}
	if code := s.silo(t, "rm", "BOX"); code != 0 {
		t.Error(code, &s.Stderr)
	}
	s.empty(t)
}

// TestStop_ServerRunIgnoresSignal_IsTerminated: it is ended, and so are the container and the run.
func TestStop_ServerRunIgnoresSignal_IsTerminated(t *testing.T) {
	s := newSpawned(t)
	s.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
		fmt.Fprint(p.Stdout, "up")
		<-p.Done()
		return 0
	})
	s.app.Stdout = onWrite(func() {
		if err := node.RequestStop("box"); err != nil {
			t.Error(err)
		}
	})
	if code := s.silo(t, "run", "--server", "--layer", s.drive+"layer", "--name", "box", "--stop-grace", "1ms", "--", "app.exe"); code != 137 {
		t.Errorf("exit code %d, want 137: %s", code, &s.Stderr)
	}
	s.app.Stdout = &s.Stdout
	if code := s.silo(t, "cleanup", "--yes"); code != 0 {
		t.Error(code, &s.Stderr)
	}
	s.empty(t)
}

// TestRunServer_NewRunOfOldName_BeginsNewLog: a run that leaves a layer behind is not replaced.
func TestRunServer_NewRunOfOldName_BeginsNewLog(t *testing.T) {
	s := newSpawned(t)
	run := 0
	s.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
		run++
		fmt.Fprintf(p.Stdout, "run %d", run)
		return 0
	})
	args := []string{"run", "--detached=box", "--server", "--layer", s.drive + "layer", "--detach", "--name", "box", "--", "app.exe"}
	for n := 1; n <= 2; n++ {
		if code := s.silo(t, args...); code != 0 || s.output(t, "box") != fmt.Sprintf("run %d", n) {
			t.Errorf("run %d: %d, output %q: %s", n, code, s.output(t, "box"), &s.Stderr)
		}
	}
	if r, err := s.app.Node.Records.Read("box"); err != nil || r.Status != node.Ended || r.Kind != node.Server {
		t.Errorf("record %+v %v, want exited", r, err)
	}
	scratch := filepath.Join(s.app.Node.Records.Path("box"), "scratch")
	if err := os.Mkdir(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	s.app.Stderr = &s.Stderr // a detached run has closed it
	if code := s.silo(t, args...); code != 125 || !strings.Contains(s.Stderr.String(), "silo cleanup") || s.output(t, "box") != "run 2" {
		t.Errorf("%d %s, want a reference to silo cleanup", code, &s.Stderr)
	}
	if err := os.Remove(scratch); err != nil {
		t.Fatal(err)
	}
}

// onWrite is called at each write.
type onWrite func()

func (f onWrite) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}

// TestCleanup_RunHasDied_ResourcesReleased: layers that a dead silo has recorded are listed, and released with --yes.
func TestCleanup_RunHasDied_ResourcesReleased(t *testing.T) {
	s := newSpawned(t)
	dead := record("box", "")
	dead.Kind, dead.Supervisor = "server", 99999
	if err := s.app.Node.Records.Write(dead); err != nil {
		t.Fatal(err)
	}
	list := func(dir string) {
		t.Helper()
		text := `{"layers":{"Kind":"windows-layer","Scratch":"C:\\scratch","Parents":["C:\\layers\\0"]}}`
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "silo-resources.json"), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	list(s.app.Node.Records.Path("box"))
	bundles := t.TempDir()
	for _, id := range []string{"dead", "alive"} {
		list(filepath.Join(bundles, "k8s.io", id))
	}
	address := filepath.Join(t.TempDir(), "pipe")
	gone := address + "-gone"
	if runtime.GOOS == "windows" {
		gone = `\\.\pipe\silo-test-gone`
	}
	parents := []schema.Layer{{Id: "9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001", Path: `C:\layers\0`}}
	if err := errors.Join(
		os.WriteFile(address, nil, 0o600),
		os.WriteFile(filepath.Join(bundles, "k8s.io", "alive", "address"), []byte(address), 0o600),
		os.WriteFile(filepath.Join(bundles, "k8s.io", "dead", "address"), []byte(gone), 0o600),
		s.machine.Activate(`C:\scratch`, parents), s.machine.Prepare(`C:\scratch`, parents),
	); err != nil {
		t.Fatal(err)
	}
	const account = "silo-d95b82416817321"
	if err := s.machine.Create(account, "A long password, 4 tests!", "Users", "siloshim container k8s.io/gone"); err != nil {
		t.Fatal(err)
	}
	held := len(s.machine.Held())
	if code := s.silo(t, "cleanup", "--bundles", bundles); code != 0 || len(s.machine.Held()) != held {
		t.Errorf("dry run: %d %s, %v is held", code, &s.Stderr, s.machine.Held())
	}
	if got := s.Stdout.String(); !strings.Contains(got, "resources  silo/box") || !strings.Contains(got, "k8s.io/dead") || !strings.Contains(got, account) || strings.Contains(got, "alive") {
		t.Errorf("found\n%s", got)
	}
	if code := s.silo(t, "cleanup", "--yes", "--bundles", bundles); code != 0 || strings.Contains(s.Stdout.String(), "false") {
		t.Errorf("%d %s%s", code, &s.Stderr, &s.Stdout)
	}
	if code := s.silo(t, "cleanup", "--bundles", bundles); code != 0 || strings.Contains(s.Stdout.String(), "resources") {
		t.Errorf("found again: %d %s", code, &s.Stdout)
	}
	s.empty(t)
}
