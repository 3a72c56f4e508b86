package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// withService builds a package's tests as a Windows program and runs those that match on the emulated Host Compute Service
// (HCS). It returns the program's output. At least want tests must have passed, and none may be skipped.
func withService(t *testing.T, pkg, match string, want int, env ...string) string {
	t.Helper()
	wine := testenv.Require(t)
	dir := t.TempDir()
	program, log := filepath.Join(dir, "inside.test.exe"), filepath.Join(dir, "hcsim.log")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "no_grpc", "-o", program, pkg)
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	namespaces := filepath.Join(dir, "namespaces")
	if err := os.Mkdir(namespaces, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := wine.Command(t.Context(), wine.WindowsPath(program), "-test.run", match, "-test.v", "-test.timeout", limit.String())
	cmd.Env = append(append(cmd.Env, env...), "WINEGAP_DLLS="+wine.WindowsPath(buildService(t))+`\`,
		"HCSIM_LOG="+wine.WindowsPath(log), "HCSIM_NAMESPACES="+wine.WindowsPath(namespaces)+`\`)
	printed, err := output(t, cmd)
	if passed, skipped := strings.Count(printed, "--- PASS"), strings.Count(printed, "--- SKIP"); err != nil || passed < want || skipped > 0 {
		calls, _ := os.ReadFile(log) // it is missing if there was no call
		t.Fatalf("%v, %d of %d passed, %d skipped:\n%s\ncalls of the service:\n%s", err, passed, want, skipped, printed, calls)
	}
	if left, err := os.ReadDir(namespaces); err != nil || len(left) > 0 {
		t.Errorf("%d network namespaces remain, %v", len(left), err)
	}
	return printed
}

// output runs a command and returns its output, through a file: Wine's console hosts keep a pipe open, also long after the
// command has exited.
func output(t *testing.T, cmd *exec.Cmd) (string, error) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = file, file
	err = cmd.Run()
	if closed := file.Close(); closed != nil {
		t.Fatal(closed)
	}
	text, read := os.ReadFile(file.Name())
	if read != nil {
		t.Fatal(read)
	}
	return string(text), err
}

// The example of package hcs runs a program that is found in PATH.
func TestHCSExample_EmulatedService_Runs(t *testing.T) {
	wine := testenv.Require(t)
	dir := t.TempDir()
	source, document := filepath.Join(dir, "hello.go"), filepath.Join(dir, "document.json")
	const hello = "package main\n\nimport \"os\"\n\nfunc main() {\n\tos.Stdout.WriteString(\"hello from inside\\n\")\n\tos.Exit(3)\n}\n"
	text, err := json.Marshal(hcstest.Container())
	if err := errors.Join(err, os.WriteFile(source, []byte(hello), 0o644), os.WriteFile(document, text, 0o644)); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "hello.exe"), source)
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build hello.exe: %v\n%s", err, text)
	}
	printed := withService(t, "../../hcs", "^TestExampleComputeCore$", 1,
		"WINEPATH="+wine.WindowsPath(dir), "SILO_HCSTEST_EXAMPLE="+wine.WindowsPath(document))
	if !strings.Contains(printed, "hello from inside") {
		t.Errorf("the program's output did not come through:\n%s", printed)
	}
}

// The tests of package rpc send requests that ctr cannot send, or that need a console: a terminal and its size, each signal,
// the stop signal and updates of a Windows Server container.
func TestWCOW_OverRPC_Passes(t *testing.T) {
	t.Log(withService(t, "../rpc", "^TestWCOW", 7))
}

// The contract suite of package hcs runs as a Windows program on the emulated service, through the real ABI. The simulated
// service passes the same suite, and a Windows host runs it.
func TestHCSContract_EmulatedService_Passes(t *testing.T) {
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
