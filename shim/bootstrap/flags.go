package bootstrap

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
)

// flags is the command line as containerd writes it: single dashes, then the verb.
type flags struct {
	namespace, address, publishBinary string
	id, bundle, socket                string
	debug, info, version              bool
	verb                              string
}

func parseFlags(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.namespace, "namespace", "", "namespace of the container")
	set.StringVar(&f.address, "address", "", "address of containerd's gRPC service")
	set.StringVar(&f.publishBinary, "publish-binary", "", "path of containerd, to publish events that TTRPC_ADDRESS does not receive")
	set.StringVar(&f.id, "id", "", "id of the container")
	set.StringVar(&f.bundle, "bundle", "", "directory of the bundle; default: the working directory")
	set.StringVar(&f.socket, "socket", "", "address to serve on")
	set.BoolVar(&f.debug, "debug", false, "log at level debug")
	set.BoolVar(&f.info, "info", false, "write the RuntimeInfo message and exit")
	set.BoolVar(&f.version, "v", false, "write the version and exit")
	set.BoolVar(&f.version, "version", false, "write the version and exit")
	if err := set.Parse(args); err != nil {
		return f, fmt.Errorf("read the command line: %w", err)
	}
	f.verb = set.Arg(0)
	return f, nil
}

// validate checks what every verb needs and makes the bundle's path absolute.
func (f *flags) validate() error {
	if f.namespace == "" {
		return fmt.Errorf("read the command line: no namespace; pass -namespace: %w", errdefs.ErrInvalidArgument)
	}
	if f.id == "" {
		return fmt.Errorf("read the command line: no id; pass -id: %w", errdefs.ErrInvalidArgument)
	}
	if err := plan.ValidName("namespace", f.namespace); err != nil {
		return err
	}
	if err := plan.ValidID(f.id); err != nil {
		return err
	}
	if f.bundle == "" {
		dir, err := os.Getwd()
		if err != nil {
			return fmt.Errorf("find the bundle: %w", err)
		}
		f.bundle = dir
	}
	bundle, err := filepath.Abs(f.bundle)
	if err != nil {
		return fmt.Errorf("find the bundle %s: %w", f.bundle, err)
	}
	f.bundle = bundle
	return nil
}
