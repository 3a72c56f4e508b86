package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// packages are the Debian packages of the test environment, each with a file that exists if it is installed.
var packages = []struct{ name, shows string }{
	{"wine64", wineLoader},
	{"wine", "/usr/bin/wineboot-stable"},
	{"gcc-mingw-w64-x86-64", "/usr/bin/" + gapCompiler},
}

// installPackages installs the missing packages as root. As another user it returns an error with the command to run.
func installPackages(ctx context.Context, out io.Writer) error {
	var missing []string
	for _, p := range packages {
		if _, err := os.Stat(p.shows); err != nil {
			missing = append(missing, p.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	names := strings.Join(missing, " ")
	install := []string{"apt-get", "install", "-y", "--no-install-recommends"}
	if os.Geteuid() != 0 {
		return fmt.Errorf("missing Debian packages: %s\nrun: sudo %s %s", names, strings.Join(install, " "), names)
	}
	return step(out, "install Debian packages "+names, func() error {
		err := apt(ctx, append(install, missing...))
		if err == nil {
			return nil
		}
		// A machine without package lists finds no package; the second attempt, with new lists, has the real error.
		if uerr := apt(ctx, []string{"apt-get", "update"}); uerr != nil {
			return fmt.Errorf("%w\n%w", err, uerr)
		}
		return apt(ctx, append(install, missing...))
	})
}

// apt runs an apt-get command that never prompts.
func apt(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, text)
	}
	return nil
}
