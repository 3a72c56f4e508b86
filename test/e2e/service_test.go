package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// TestComputeServiceSuite runs the contract suite of package hcs, as a Windows program, on the emulated service: the
// same suite that the simulated service passes and that a Windows host runs, through the real ABI.
func TestComputeServiceSuite(t *testing.T) {
	wine := testenv.Require(t)
	dir := t.TempDir()
	program, document := filepath.Join(dir, "hcs.test.exe"), filepath.Join(dir, "document.json")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "no_grpc", "-o", program, "../../hcs")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the suite: %v\n%s", err, text)
	}
	text, err := schema.Marshal(hcstest.Container())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(document, text, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := wine.Command(t.Context(), wine.WindowsPath(program), "-test.run", "^TestContract_ComputeCore$", "-test.v", "-test.timeout", limit.String(), "-test.count", "3")
	cmd.Env = append(cmd.Env, "WINEGAP_DLLS="+wine.WindowsPath(buildService(t))+`\`,
		"SILO_HCSTEST_DOCUMENT="+wine.WindowsPath(document), "SILO_HCSTEST_APPLICATION="+wine.WindowsPath(program))
	r := run(t, cmd)
	passed, skipped := strings.Count(r.stdout, "    --- PASS"), strings.Count(r.stdout, "--- SKIP")
	if r.code != 0 || passed < 3*30 || skipped > 0 {
		t.Errorf("exit %d, %d passed, %d skipped:\n%s%s", r.code, passed, skipped, r.stdout, r.stderr)
	}
	t.Logf("%d passed", passed)
}
