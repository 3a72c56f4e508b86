package command

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/cmd/silo/wcow"
	"github.com/siloshim/siloshim/internal/logfile"
	"github.com/siloshim/siloshim/internal/textfile"
	"github.com/siloshim/siloshim/schema"
)

func (a *App) nspawnCommand() *cobra.Command {
	var config string
	c := &cobra.Command{
		Use:   "nspawn [-c config.json]",
		Short: "Run the configuration of hostcompute_nspawn",
		Long: `Nspawn reads a configuration of hostcompute_nspawn, all of its keys and no others, and runs the program in a Windows
Server container over parent_layer_directory and the layers that its layerchain.json names. What the program writes goes
to the terminal and is appended to stdout_filename in process_directory. The exit code is the program's. When a step fails,
or at Ctrl+C, everything that was created is removed.

Arguments are passed to the program unchanged, without a shell.`,
		Example: "  silo nspawn -c config.json\n  silo explain config.json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.nspawn(c.Context(), config) },
	}
	c.Flags().StringVarP(&config, "config", "c", "", "the file; default: config.json beside silo.exe")
	return c
}

// nspawnGrace is how long the program may take to exit after Ctrl+C.
const nspawnGrace = 10 * time.Second

func (a *App) nspawn(ctx context.Context, config string) (err error) {
	if config == "" {
		config = filepath.Join(filepath.Dir(a.Self), "config.json")
	}
	text, err := textfile.Read(config)
	if err != nil {
		return fmt.Errorf("read nspawn configuration: %w", err)
	}
	n, err := schema.ParseNspawnConfig(text)
	if err != nil {
		return err
	}
	path, err := wcow.NspawnOutput(n)
	if err != nil {
		return fmt.Errorf("read nspawn configuration: %w", err)
	}
	layers, err := wcow.Chain(n.ParentLayerDirectory)
	if err != nil || a.checking {
		return err
	}
	p := &runPlan{stops: []supervisor.Signal{supervisor.CtrlC}, unnamed: true}
	p.name, p.grace = a.freeName("nspawn"), duration(nspawnGrace)
	r := serverRun{runPlan: p, out: new(outputs)}
	r.spec, r.tolerated = wcow.Nspawn(n, append(layers, wcow.Scratch(a.Node.Records.Path(p.name))))
	if path != "" {
		if err := r.out.openLog(path, logfile.Options{}); err != nil {
			return fmt.Errorf("stdout_filename: %w", err)
		}
	}
	defer r.out.close(a)
	r.out.stdout, r.out.stderr = r.out.add("stdout", a.Stdout), r.out.add("stderr", a.Stderr)
	return a.serve(ctx, &r)
}
