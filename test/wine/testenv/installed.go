package testenv

import (
	"context"
	"fmt"
)

// The directories that containerd has on a Windows node where nothing else was said.
const (
	// InstallDir holds containerd.exe and config.toml.
	InstallDir = `C:\Program Files\containerd`
	// DataDir holds its root and its state.
	DataDir = `C:\ProgramData\containerd`
)

// Installed starts the containerd.exe of [InstallDir] as it is, without a flag: it finds its configuration itself. What
// an earlier one left in [DataDir] is removed first. [Containerd.Crictl] works where the configuration has CRI.
func (e *Env) Installed(ctx context.Context, env ...string) (*Containerd, error) {
	const name = "containerd" // of the default pipe
	return e.launch(ctx, &Containerd{
		name: name, home: DataDir, daemon: InstallDir + `\containerd.exe`, env: env,
		files: map[string]string{"crictl.yaml": fmt.Sprintf(crictlConfig, name)},
	})
}
