package testenv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/payload/flood"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// payload runs the payload and returns its standard output.
func payload(t *testing.T, wine *testenv.Env, args ...string) []byte {
	t.Helper()
	out, err := wine.Command(t.Context(), wine.Exe("payload"), args...).Output()
	if err != nil {
		t.Fatalf("payload %v: %v", args, err)
	}
	return out
}

// withPayload opens the test environment and builds the payload into it.
func withPayload(t *testing.T) *testenv.Env {
	t.Helper()
	wine := testenv.Require(t)
	if err := testenv.Build(t.Context(), io.Discard, "payload"); err != nil {
		t.Fatal(err)
	}
	return wine
}

func TestEnv_ProgramExits_CodeIsReturned(t *testing.T) {
	wine := withPayload(t)
	for _, want := range []int{0, 1, 7, 137, 255} {
		err := wine.Command(t.Context(), wine.Exe("payload"), "exit", strconv.Itoa(want)).Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		got := 0
		if exit != nil {
			got = exit.ExitCode()
		}
		if got != want {
			t.Errorf("exit %d came back as %d", want, got)
		}
	}
}

func TestEnv_Arguments_ArriveUnchanged(t *testing.T) {
	wine := withPayload(t)
	want := []string{"", "a b", `q"uote`, `tail\`, `\\x\" y`, "%PATH%", "&|<>^", "ünï 漢字"}
	var got []string
	if err := json.Unmarshal(payload(t, wine, append([]string{"args"}, want...)...), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arguments (-sent +received):\n%s", diff)
	}
}

func TestEnv_LargeOutput_EveryByteArrives(t *testing.T) {
	wine := withPayload(t)
	const n = 10 << 20
	var want bytes.Buffer
	if err := flood.Write(&want, n); err != nil {
		t.Fatal(err)
	}
	if got := payload(t, wine, "flood", strconv.Itoa(n)); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes arrived, not the %d that were sent", len(got), n)
	}
}

func TestEnv_Paths_ConvertBothWays(t *testing.T) {
	wine := testenv.Require(t)
	for _, windows := range []string{`C:\`, `C:\silo\bin\ctr.exe`, `Z:\etc\hostname`} {
		if got := wine.WindowsPath(wine.UnixPath(windows)); got != windows {
			t.Errorf("%s came back as %s", windows, got)
		}
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("through the prefix"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := wine.Command(t.Context(), "cmd", "/c", "type", wine.WindowsPath(file)).Output()
	if err != nil || string(out) != "through the prefix" {
		t.Errorf("type %s: %q, %v", wine.WindowsPath(file), out, err)
	}
}

// The root of the tree has exited before the group is killed.
func TestGroup_ParentExited_ChildIsFound(t *testing.T) {
	wine, group := withPayload(t), testenv.NewGroup()
	cmd := wine.Command(t.Context(), wine.Exe("payload"), "holdout", "600")
	group.Add(cmd)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	left, err := group.Processes()
	if err != nil || len(left) != 1 || left[0].Name() != "payload.exe" {
		t.Errorf("after the root ended the group holds %v, %v; want the sleeping grandchild", left, err)
	}
	if err := group.Kill(); err != nil {
		t.Fatal(err)
	}
	if left, err := group.Processes(); err != nil || len(left) > 0 {
		t.Errorf("after Kill the group holds %v, %v", left, err)
	}
}

// probes builds the Windows test binary of package probe.
func probes(t *testing.T, wine *testenv.Env) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "probe.test.exe")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-tags", "no_grpc", "-c", "-o", exe, "./test/wine/probe")
	cmd.Dir = wine.Root()
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the probes: %v\n%s", err, out)
	}
	return exe
}

// verdicts runs a Windows test binary and returns the result of each of its tests.
func verdicts(ctx context.Context, t *testing.T, wine *testenv.Env, exe string, env ...string) (map[string]string, error) {
	t.Helper()
	cmd := wine.Command(ctx, exe, "-test.v", "-test.timeout=2m")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\w+)`).FindAllStringSubmatch(string(out), -1) {
		found[m[2]] = m[1]
	}
	if len(env) == 0 && err != nil {
		t.Logf("%s", out)
	}
	return found, err
}

// The probes pass: the parts of Windows that the product needs exist.
func TestProbes_WithGapFiller_Pass(t *testing.T) {
	wine := testenv.Require(t)
	got, err := verdicts(t.Context(), t, wine, probes(t, wine))
	if err != nil {
		t.Errorf("the probes: %v", err)
	}
	if len(got) < 10 {
		t.Errorf("only %d probes ran", len(got))
	}
	for name, verdict := range got {
		if verdict != "PASS" {
			t.Errorf("%s: %s", name, verdict)
		}
	}
}

// Each probe fails without the hooks, some by their timeout. A hook whose probe passes without it is not needed.
func TestProbes_WithoutGapFiller_Fail(t *testing.T) {
	wine := testenv.Require(t)
	exe := probes(t, wine)
	for _, probe := range []string{
		"TestRemoveAll_DirectoryTree_Removed", "TestRoot_Rename_ReplacesFile", "TestPipe_NameInUse_Refused", "TestProcessTimes_OfAChild_NotTheCallers", "TestJob_LimitsSet_ReadBack",
		"TestJob_HandleValueReused_LimitsAreUnset", "TestProcessMemory_PrivateWorkingSet_WithinWorkingSet", "TestJob_Members_MemoryIsCounted",
		"TestIsProcessInJob_LimitedHandle_Answers", "TestPipe_FirstClient_IsServed", "TestJob_MemberExited_TimesAreKept",
		"TestUDPSocket_Datagram_Arrives",
	} {
		t.Run(strings.TrimPrefix(probe, "Test"), func(t *testing.T) {
			t.Parallel()
			cmd := wine.Command(t.Context(), exe, "-test.run", "^"+probe+"$", "-test.timeout=3s")
			cmd.Env = append(cmd.Env, "WINEGAP=0")
			var exit *exec.ExitError
			if out, err := cmd.CombinedOutput(); !errors.As(err, &exit) {
				t.Errorf("without the gap filler %s ended with %v:\n%s", probe, err, out)
			}
		})
	}
}

func TestMemoryOf_Program_HasItsParts(t *testing.T) {
	wine := withPayload(t)
	cmd := wine.Command(t.Context(), wine.Exe("payload"), "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil { // its image is in memory
		t.Fatal(err)
	}
	m, err := testenv.MemoryOf(cmd.Process.Pid)
	if err != nil {
		t.Error(err)
	}
	file, err := os.Stat(wine.UnixPath(wine.Exe("payload")))
	if err != nil {
		t.Fatal(err)
	}
	if size := uint64(file.Size()); m.Image < size/2 || m.Image > 2*size || m.Rest == 0 || m.Threads == 0 {
		t.Errorf("an executable of %d bytes has %+v", size, m)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
