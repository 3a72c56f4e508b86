package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// packages are the Debian packages the test environment is made of, each with the file that shows it is installed.
var packages = []struct{ name, shows string }{
	{"wine64", wineLoader},
	{"wine", "/usr/bin/wineboot-stable"},
	{"gcc-mingw-w64-x86-64", "/usr/bin/" + gapCompiler},
}

// installPackages installs the missing ones when it runs as root, and says what to run when it does not.
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
		// A machine that never fetched package lists knows no package; with fresh lists the second try tells the truth.
		if uerr := apt(ctx, []string{"apt-get", "update"}); uerr != nil {
			return fmt.Errorf("%w\n%w", err, uerr)
		}
		return apt(ctx, append(install, missing...))
	})
}

// apt runs one apt-get command that asks no question.
func apt(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, text)
	}
	return nil
}
