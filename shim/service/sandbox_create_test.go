package service_test

import (
	"os"
	"path/filepath"
	"testing"

	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/service"
	"github.com/siloshim/siloshim/test/sim"
)

func TestSandboxAPI_AnotherID_NotFound(t *testing.T) {
	p := newRunningPod(t)
	ctx := t.Context()
	create := func(r *sandbox.CreateSandboxRequest) error {
		r.BundlePath = t.TempDir()
		_, err := p.CreateSandbox(ctx, r)
		return err
	}
	refused(t, create(&sandbox.CreateSandboxRequest{SandboxID: "p"}), errdefs.IsAlreadyExists, "p")
	refused(t, create(&sandbox.CreateSandboxRequest{SandboxID: "q"}), errdefs.IsAlreadyExists, "belongs to sandbox p")
	refused(t, create(&sandbox.CreateSandboxRequest{SandboxID: "../q"}), errdefs.IsInvalidArgument, "../q")
	refused(t, second(p.CreateSandbox(ctx, &sandbox.CreateSandboxRequest{SandboxID: "q"})), errdefs.IsInvalidArgument, "bundle_path")
	refused(t, create(&sandbox.CreateSandboxRequest{SandboxID: "q", Rootfs: []*types.Mount{{}}}), errdefs.IsInvalidArgument, "rootfs")
	for name, err := range map[string]error{
		"start":    second(p.StartSandbox(ctx, &sandbox.StartSandboxRequest{SandboxID: "q"})),
		"stop":     second(p.StopSandbox(ctx, &sandbox.StopSandboxRequest{SandboxID: "q"})),
		"wait":     second(p.WaitSandbox(ctx, &sandbox.WaitSandboxRequest{SandboxID: "q"})),
		"status":   second(p.SandboxStatus(ctx, &sandbox.SandboxStatusRequest{SandboxID: "q"})),
		"ping":     second(p.PingSandbox(ctx, &sandbox.PingRequest{SandboxID: "q"})),
		"platform": second(p.Platform(ctx, &sandbox.PlatformRequest{SandboxID: "q"})),
		"metrics":  second(p.SandboxMetrics(ctx, &sandbox.SandboxMetricsRequest{SandboxID: "q"})),
		"shutdown": second(p.ShutdownSandbox(ctx, &sandbox.ShutdownSandboxRequest{SandboxID: "q"})),
	} {
		t.Run(name, func(t *testing.T) { refused(t, err, errdefs.IsNotFound, "this is the shim of sandbox p") })
	}
	refused(t, second(p.UpdateSandbox(ctx, &sandbox.UpdateSandboxRequest{SandboxID: "p"})), errdefs.IsNotImplemented, "update")
}

// TestCreateSandbox_HostProcess_OptionsBeforeAnnotations: if the options are those of Kubernetes' runtime interface, no
// annotation counts.
func TestCreateSandbox_HostProcess_OptionsBeforeAnnotations(t *testing.T) {
	yes := map[string]string{hostProcess: "true"}
	config := func(s *specs.Spec) []byte { return sim.JSON(t, s) }
	for name, tt := range map[string]struct {
		request *sandbox.CreateSandboxRequest
		config  []byte
		want    string
	}{
		"no one":                  {&sandbox.CreateSandboxRequest{}, nil, "process isolated"},
		"an empty spec":           {&sandbox.CreateSandboxRequest{}, []byte{}, "process isolated"},
		"the request":             {&sandbox.CreateSandboxRequest{Annotations: yes}, nil, "host process"},
		"the spec":                {&sandbox.CreateSandboxRequest{}, config(&specs.Spec{Annotations: yes}), "host process"},
		"the request, last":       {&sandbox.CreateSandboxRequest{Annotations: map[string]string{hostProcess: "false"}}, config(&specs.Spec{Annotations: yes}), "process isolated"},
		"the runtime interface":   {&sandbox.CreateSandboxRequest{Options: podOfJobs}, nil, "host process"},
		"the interface, and only": {&sandbox.CreateSandboxRequest{Options: &anypb.Any{TypeUrl: podOfJobs.TypeUrl}, Annotations: yes}, nil, "process isolated"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			client := sandbox.NewTTRPCSandboxClient(w.Client)
			tt.request.SandboxID, tt.request.BundlePath = "p", t.TempDir()
			if tt.config != nil {
				if err := os.WriteFile(filepath.Join(tt.request.BundlePath, "config.json"), tt.config, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := client.CreateSandbox(t.Context(), tt.request); err != nil {
				t.Fatal(err)
			}
			s, err := client.SandboxStatus(t.Context(), &sandbox.SandboxStatusRequest{SandboxID: "p", Verbose: true})
			if err != nil || s.Info["kind"] != tt.want {
				t.Errorf("the sandbox is %v, %v; want %s", s, err, tt.want)
			}
		})
	}
}

func TestCreateSandbox_HostProcessForbidden_PermissionDenied(t *testing.T) {
	never := bootstrap.Options{DefaultAnnotations: map[string]string{"microsoft.com/disable-hostprocess-container": "true"}}
	s := service.NewService(service.Config{Options: never})
	_, err := s.CreateSandbox(t.Context(), &sandbox.CreateSandboxRequest{SandboxID: "p", BundlePath: t.TempDir(), Options: podOfJobs})
	if !errdefs.IsPermissionDenied(err) {
		t.Errorf("a pod of job containers: %v, want it forbidden", err)
	}
	if _, err := s.CreateSandbox(t.Context(), &sandbox.CreateSandboxRequest{SandboxID: "p", BundlePath: t.TempDir()}); err != nil {
		t.Errorf("a pod of the other kind: %v", err)
	}
}

// TestCreateSandbox_ShimOptions_AreDefaults: CreateSandbox has no options of the runtime. The annotations in those of the
// shim apply, and the sandbox's own replace them.
func TestCreateSandbox_ShimOptions_AreDefaults(t *testing.T) {
	defaults := bootstrap.Options{DefaultAnnotations: map[string]string{hostProcess: "true"}}
	for want, own := range map[string]map[string]string{"host process": nil, "process isolated": {hostProcess: "false"}} {
		s := service.NewService(service.Config{Options: defaults, Shutdown: func() {}})
		if _, err := s.CreateSandbox(t.Context(), &sandbox.CreateSandboxRequest{
			SandboxID: "p", BundlePath: t.TempDir(), Annotations: own,
		}); err != nil {
			t.Fatal(err)
		}
		r, err := s.SandboxStatus(t.Context(), &sandbox.SandboxStatusRequest{SandboxID: "p", Verbose: true})
		if err != nil || r.Info["kind"] != want {
			t.Errorf("the sandbox is %v, %v; want %s", r, err, want)
		}
		if _, err := s.ShutdownSandbox(t.Context(), &sandbox.ShutdownSandboxRequest{SandboxID: "p"}); err != nil {
			t.Error(err)
		}
	}
}
