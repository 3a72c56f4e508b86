package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	runtimeoptions "github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/sim"
)

// canaries numbers the secrets of a test by the places into which they were put.
type canaries struct{ places map[string]string }

func (c *canaries) put(place string) string {
	text := fmt.Sprintf("canary%05dq", len(c.places))
	c.places[text] = place
	return text
}

// sinks has what left the shim, by where it went.
type sinks struct {
	mu   sync.Mutex // guards text
	text map[string]*bytes.Buffer
}

func (s *sinks) add(sink string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text[sink] == nil {
		s.text[sink] = new(bytes.Buffer)
	}
	s.text[sink].Write(text)
}

// answer adds an answer or an error to the sinks.
func (s *sinks) answer(sink string, m proto.Message, err error) {
	if err != nil {
		s.add("errors", []byte(err.Error()+"\n"))
		return
	}
	text, _ := proto.Marshal(m) // the answer was unmarshaled
	s.add(sink, text)
}

// event adds an event of the shim.
func (s *sinks) event(t *testing.T, e any) {
	m, ok := e.(proto.Message)
	if !ok {
		t.Errorf("event %T", e)
		return
	}
	s.answer("events", m, nil)
}

type logSink struct{ *sinks }

func (s logSink) Write(p []byte) (int, error) {
	sink := "logs"
	if bytes.Contains(p, []byte("span_id")) {
		sink = "spans"
	}
	s.add(sink, p)
	return len(p), nil
}

// traced is a context of a client that samples its trace, so that the shim logs a span for each request.
func traced(ctx context.Context) context.Context {
	return ttrpc.WithMetadata(ctx, ttrpc.MD{"traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}})
}

// captureLog sends the log at trace level to the sinks until the end of the test. Spans are records of the log.
func (s *sinks) captureLog(t *testing.T) {
	t.Helper()
	logger, level := log.L.Logger, log.GetLevel()
	out := logger.Out
	logger.SetOutput(logSink{s})
	if err := log.SetLevel("trace"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { logger.SetOutput(out); logger.SetLevel(level) })
}

// report counts the canaries in each sink.
func (s *sinks) report(t *testing.T, c *canaries, want ...string) {
	t.Helper()
	for _, sink := range want {
		if s.text[sink] == nil || s.text[sink].Len() == 0 {
			t.Errorf("nothing went to %s", sink)
		}
	}
	for _, sink := range slices.Sorted(maps.Keys(s.text)) {
		found := 0
		for secret, place := range c.places {
			if at := bytes.Index(s.text[sink].Bytes(), []byte(secret)); at >= 0 {
				found++
				text := s.text[sink].Bytes()
				t.Errorf("%s: the canary in %s: ...%q", sink, place, text[max(0, at-120):min(len(text), at+40)])
			}
		}
		t.Logf("%-14s %8d bytes, %d of %d canaries", sink, s.text[sink].Len(), found, len(c.places))
	}
}

// files adds what the shim has written beside the specification.
func (s *sinks) files(t *testing.T, bundle string) {
	t.Helper()
	err := filepath.WalkDir(bundle, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "config.json" {
			return err
		}
		text, err := os.ReadFile(path)
		s.add("records", append([]byte(d.Name()+": "), text...))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// secretProcess is a process with canaries in its environment and its arguments.
func (c *canaries) process(place string, args ...string) *specs.Process {
	p := sim.Process(append(args, "--password", c.put(place+" argument"), "--x="+c.put(place+" argument"))...)
	p.Env = []string{"TOKEN=" + c.put(place+" environment"), "HARMLESS=" + c.put(place+" environment"), c.put(place+" name of a variable") + "=1"}
	return p
}

// secretSpec fills a specification with canaries, and spoils what spoil does.
func (c *canaries) spec(spoil func(*specs.Spec)) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Process = c.process("init", "sleep")
		for i := range 4 {
			s.Annotations[fmt.Sprintf("example.com/note-%d", i)] = c.put("annotation")
		}
		s.Annotations["io.kubernetes.cri.container-name"] = "web"
		if spoil != nil {
			spoil(s)
		}
	}
}

// spoilt are specifications that the shim refuses, each for a value with a canary.
func (c *canaries) spoilt() map[string]func(*specs.Spec) {
	spoilt := map[string]func(*specs.Spec){
		"no such program": func(s *specs.Spec) { s.Process.Args[0] = `C:\missing.exe` }, // its name is no secret
		"variable":        func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, c.put("variable without a value")) },
		"NUL in argument": func(s *specs.Spec) { s.Process.Args = append(s.Process.Args, c.put("argument with NUL")+"\x00") },
		"NUL in variable": func(s *specs.Spec) { s.Process.Env = append(s.Process.Env, "A="+c.put("variable with NUL")+"\x00") },
		"command line": func(s *specs.Spec) {
			s.Process.Args, s.Process.CommandLine = nil, "missing.exe --token "+c.put("command line")
		},
		"command line, NUL": func(s *specs.Spec) {
			s.Process.Args, s.Process.CommandLine = nil, sim.Program+" "+c.put("command line")+"\x00"
		},
	}
	for _, name := range []string{
		"io.siloshim.best-effort", "io.siloshim.stop-signal", "io.siloshim.stop-grace", "microsoft.com/hostprocess-container", "microsoft.com/hostprocess-inherit-user",
		"io.microsoft.container.processdumplocation", "io.siloshim.processes", "io.microsoft.container.processor.count",
	} {
		spoilt["annotation "+name] = func(s *specs.Spec) { s.Annotations[name] = c.put("annotation " + name) }
	}
	return spoilt
}

// TestSecrets_ThousandCanaries_NoneLeavesTheShim puts secrets into all that a client sends and looks for them in all that
// the shim returns, logs and writes. config.json is the client's own file.
func TestSecrets_ThousandCanaries_NoneLeavesTheShim(t *testing.T) {
	c, s := &canaries{places: map[string]string{}}, &sinks{text: map[string]*bytes.Buffer{}}
	s.captureLog(t)
	w := sim.NewWorld(t)
	w.OnEvent = func(e any) { s.event(t, e) }
	ctx := traced(t.Context())
	for i := range 40 {
		id := fmt.Sprintf("c%d", i)
		s.life(ctx, t, w, id, sim.Bundle(t, c.spec(nil)), c)
	}
	for name, spoil := range c.spoilt() {
		bundle := sim.Bundle(t, c.spec(spoil))
		r, err := w.Create(ctx, &api.CreateTaskRequest{ID: "bad", Bundle: bundle})
		s.answer("answers", r, err)
		if err == nil {
			started, err := w.Start(ctx, &api.StartRequest{ID: "bad"})
			s.answer("answers", started, err)
			t.Logf("%s: created, start: %v", name, err)
			_, _ = w.Kill(ctx, &api.KillRequest{ID: "bad", Signal: 9, All: true})
			_, _ = w.Wait(ctx, &api.WaitRequest{ID: "bad"})
			_, err = w.Delete(ctx, &api.DeleteRequest{ID: "bad"})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.files(t, bundle)
	}
	s.streams(ctx, t, w, c)
	w.Kernel.Wait()
	if len(c.places) < 1000 {
		t.Errorf("%d canaries, want 1,000 at least", len(c.places))
	}
	s.report(t, c, "logs", "spans", "errors", "events", "answers", "metrics")
}

// life sends every request about one task.
func (s *sinks) life(ctx context.Context, t *testing.T, w *sim.World, id, bundle string, c *canaries) {
	t.Helper()
	created, err := w.Create(ctx, &api.CreateTaskRequest{ID: id, Bundle: bundle})
	if err != nil {
		t.Fatal(err)
	}
	s.answer("answers", created, err)
	steps := []func() (proto.Message, error){
		func() (proto.Message, error) { return w.Start(ctx, &api.StartRequest{ID: id}) },
		func() (proto.Message, error) {
			return w.Exec(ctx, &api.ExecProcessRequest{ID: id, ExecID: "x", Spec: &anypb.Any{Value: sim.JSON(t, c.process("exec", "sleep"))}})
		},
		func() (proto.Message, error) { return w.Start(ctx, &api.StartRequest{ID: id, ExecID: "x"}) },
		func() (proto.Message, error) {
			p := c.process("refused exec", "sleep")
			p.Args[0] = `C:\missing.exe`
			return w.Exec(ctx, &api.ExecProcessRequest{ID: id, ExecID: "y", Spec: &anypb.Any{Value: sim.JSON(t, p)}})
		},
		func() (proto.Message, error) {
			return w.Exec(ctx, &api.ExecProcessRequest{ID: id, ExecID: "z", Spec: &anypb.Any{Value: []byte(`{"args":["` + c.put("exec that is no JSON"))}})
		},
		func() (proto.Message, error) {
			return w.Update(ctx, &api.UpdateTaskRequest{ID: id, Annotations: map[string]string{"a": c.put("annotation of an update")},
				Resources: &anypb.Any{TypeUrl: sim.ResourcesURL, Value: sim.JSON(t, &specs.WindowsResources{})}})
		},
		func() (proto.Message, error) {
			return w.Update(ctx, &api.UpdateTaskRequest{ID: id, Resources: &anypb.Any{TypeUrl: sim.ResourcesURL, Value: []byte(`{"memory":"` + c.put("resources"))}})
		},
		func() (proto.Message, error) { return w.State(ctx, &api.StateRequest{ID: id, ExecID: "x"}) },
		func() (proto.Message, error) { return w.Pids(ctx, &api.PidsRequest{ID: id}) },
		func() (proto.Message, error) { return w.Connect(ctx, &api.ConnectRequest{ID: id}) },
		func() (proto.Message, error) { return w.Pause(ctx, &api.PauseRequest{ID: id}) },
		func() (proto.Message, error) { return w.Resume(ctx, &api.ResumeRequest{ID: id}) },
	}
	for _, step := range steps {
		m, err := step()
		s.answer("answers", m, err)
	}
	m, err := w.Stats(ctx, &api.StatsRequest{ID: id})
	s.answer("metrics", m, err)
	s.files(t, bundle)
	w.MustKill(t, id, "")
	s.answer("answers", &api.WaitResponse{ExitStatus: w.MustWait(t, id, "")}, nil)
	w.MustDelete(t, id, "x")
	w.MustDelete(t, id, "")
}

// streams sends addresses and options that the shim refuses.
func (s *sinks) streams(ctx context.Context, t *testing.T, w *sim.World, c *canaries) {
	t.Helper()
	for _, address := range []string{
		"binary:///C:/log.exe?%s", "binary:///log?key=%s", "file://%s", "http://x/%s", "file:///C:/x?max-size=%s", "npipe://%s", "%%%s", "binary://user:%s@host/C:/x.exe",
	} {
		r, err := w.Create(ctx, &api.CreateTaskRequest{ID: "bad", Bundle: sim.Bundle(t, c.spec(nil)), Stdout: fmt.Sprintf(address, c.put("address "+address))})
		if s.answer("answers", r, err); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
	annotations := map[string]string{"io.siloshim.best-effort": c.put("default annotation")}
	for name, m := range map[string]proto.Message{
		"image":       &runhcs.Options{SandboxImage: c.put("image option"), BootFilesRootPath: c.put("image option"), RegistryRoot: c.put("image option")},
		"annotations": &runhcs.Options{DefaultContainerAnnotations: annotations},
		"TOML":        &runtimeoptions.Options{ConfigBody: []byte("Debug = '" + c.put("TOML option") + "'")},
		"broken TOML": &runtimeoptions.Options{ConfigBody: []byte("Debug = " + c.put("broken TOML option"))},
		"unknown key": &runtimeoptions.Options{ConfigBody: []byte("Unknown = '" + c.put("unknown TOML option") + "'")},
	} {
		options, err := anypb.New(m)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.Create(ctx, &api.CreateTaskRequest{ID: "o" + name[:1], Bundle: sim.Bundle(t, c.spec(nil)), Options: options})
		s.answer("answers", r, err)
		if err == nil {
			_, _ = w.Delete(ctx, &api.DeleteRequest{ID: "o" + name[:1]})
		}
	}
	r, err := w.Create(ctx, &api.CreateTaskRequest{ID: "bad", Bundle: sim.Bundle(t, c.spec(nil)), Options: &anypb.Any{TypeUrl: "x", Value: []byte(c.put("unknown options"))}})
	s.answer("answers", r, err)
}

// TestSecrets_WindowsServerContainer_NoneLeavesTheShim: the credential spec is a secret, too.
func TestSecrets_WindowsServerContainer_NoneLeavesTheShim(t *testing.T) {
	c, s := &canaries{places: map[string]string{}}, &sinks{text: map[string]*bytes.Buffer{}}
	s.captureLog(t)
	w := sim.NewWCOWWorld(t)
	w.OnEvent = func(e any) { s.event(t, e) }
	for i := range 4 {
		secret := func(s *specs.Spec) {
			annotations := s.Annotations
			c.spec(nil)(s)
			maps.Copy(s.Annotations, annotations)
			s.Windows.CredentialSpec = `{"CmsPlugins":["` + c.put("credential spec") + `"]}`
		}
		s.life(traced(t.Context()), t, w.World, fmt.Sprintf("w%d", i), sim.WCOWBundle(t, secret, "sleep"), c)
	}
	broken := sim.WCOWBundle(t, func(s *specs.Spec) { s.Windows.CredentialSpec = `{"CmsPlugins":"` + c.put("broken credential spec") }, "sleep")
	r, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: "bad", Bundle: broken})
	s.answer("answers", r, err)
	if err == nil {
		_, _ = w.Delete(t.Context(), &api.DeleteRequest{ID: "bad"})
	}
	s.files(t, broken)
	s.report(t, c, "logs", "errors", "events", "answers", "metrics", "records")
}

// TestAccess_Jobs_HaveTheirDescriptors: every job is for SYSTEM and administrators alone.
func TestAccess_Jobs_HaveTheirDescriptors(t *testing.T) {
	w := sim.NewWorld(t)
	c, s := &canaries{places: map[string]string{}}, &sinks{text: map[string]*bytes.Buffer{}}
	s.life(t.Context(), t, w, "c", sim.Bundle(t, c.spec(nil)), c)
	server := sim.NewWCOWWorld(t)
	s.life(t.Context(), t, server.World, "c", sim.WCOWBundle(t, nil, "sleep"), c)
	jobs := append(w.Kernel.JobDescriptors(), server.Kernel.JobDescriptors()...)
	if len(jobs) == 0 {
		t.Error("no job was made")
	}
	for _, j := range jobs {
		if j.SDDL != jobobject.DefaultSecurityDescriptor {
			t.Errorf("job %q has the descriptor %s", j.Name, j.SDDL)
		}
		t.Logf("job %q: %s", j.Name, j.SDDL)
	}
}
