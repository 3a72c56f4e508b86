package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The release whose schemas count, and its hash as the checksum database has it.
const (
	release = "k8s.io/kubernetes@v1.36.3"
	sum     = "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o="
)

// ErrAbsent says that the schemas are neither in the module cache nor to be had from the module proxy.
var ErrAbsent = errors.New("no schemas of " + release)

// Published finds the directory of the OpenAPI documents of Kubernetes, and fetches them where they are not in the
// module cache. It says [ErrAbsent] where that cannot be done.
//
// https://github.com/kubernetes/kubernetes/tree/master/api/openapi-spec
func Published(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", release)
	cmd.Dir = os.TempDir() // in no module: the releases of Kubernetes cannot be required by one
	// The hash is compared below; whether the checksum database can be reached is no matter.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GONOSUMDB=k8s.io/kubernetes")
	text, err := cmd.Output()
	var module struct{ Dir, Sum, Error string }
	if err := errors.Join(err, json.Unmarshal(text, &module)); err != nil || module.Error != "" {
		return "", fmt.Errorf("%w: %w %s", ErrAbsent, err, module.Error)
	}
	if module.Sum != sum {
		return "", fmt.Errorf("%s has the hash %s, not %s", release, module.Sum, sum)
	}
	return filepath.Join(module.Dir, "api", "openapi-spec", "v3"), nil
}
