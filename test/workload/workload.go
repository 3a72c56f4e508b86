// Package workload describes the containers of the tests, the demo and the benchmarks: the payload in a job container on the
// host's files.
package workload

import (
	"encoding/json"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Payload is the path of the payload in the test environment.
const Payload = `C:\silo\bin\payload.exe`

// Spec is a job container whose init is the payload with these arguments. It runs as the shim's user.
func Spec(args ...string) *specs.Spec {
	return &specs.Spec{
		Version: specs.Version,
		Process: &specs.Process{
			Args: append([]string{Payload}, args...),
			Cwd:  `C:\`,
			Env:  []string{"WORKLOAD=yes"},
		},
		Root: &specs.Root{},
		Annotations: map[string]string{
			"microsoft.com/hostprocess-container":    "true",
			"microsoft.com/hostprocess-inherit-user": "true",
		},
		Windows: &specs.Windows{},
	}
}

// Write writes a specification to a file.
func Write(path string, s *specs.Spec) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
