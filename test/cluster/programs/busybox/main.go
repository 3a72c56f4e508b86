// Command busybox takes the place of the image busybox in Kubernetes' end-to-end tests, whose Windows program no registry
// of modules has. It is a POSIX shell with the commands that those tests use: sh -c SCRIPT, or a command by the name of the
// executable, such as cat.exe.
//
// An absolute path without a drive is in the container's root file system, as in the image. Without a silo that is the
// directory of the mount point, where the shim also puts volumes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mvdan.cc/sh/moreinterp/coreutils"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func main() {
	err := run(context.Background(), os.Args)
	if status, ok := errors.AsType[interp.ExitStatus](err); ok {
		os.Exit(int(status))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run runs a script or a command.
func run(ctx context.Context, args []string) error {
	name := command(args[0])
	script, params, err := parse(name, args[1:])
	if err != nil {
		return err
	}
	runner, err := interp.New(interp.StdIO(os.Stdin, os.Stdout, os.Stderr), interp.Dir(root()), interp.Params(params...),
		interp.ExecHandlers(coreutils.ExecHandler, applets))
	if err != nil {
		return err
	}
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	if script == os.Stdin {
		return runLines(ctx, runner, parser, script)
	}
	file, err := parser.Parse(script, name)
	if err != nil {
		return err
	}
	return runner.Run(ctx, file)
}

// runLines runs each line once it is complete, also the last one without its end. The input may stay open after "exit".
func runLines(ctx context.Context, runner *interp.Runner, parser *syntax.Parser, input io.Reader) error {
	var last error // the status of the last statement
	for statements, err := range parser.InteractiveSeq(io.MultiReader(input, strings.NewReader("\n"))) {
		if err != nil {
			return err
		}
		if parser.Incomplete() {
			continue
		}
		for _, s := range statements {
			if last = runner.Run(ctx, s); runner.Exited() {
				return last
			}
		}
	}
	return last
}

// command is the name of a command in lower case, without its directory and extension.
func command(path string) string {
	base := path[strings.LastIndexAny(path, `/\`)+1:]
	return strings.TrimSuffix(strings.ToLower(base), ".exe")
}

// parse returns the script and its parameters. A command is a script of one line.
func parse(name string, args []string) (script io.Reader, params []string, err error) {
	if name != "sh" && name != "bash" {
		var line strings.Builder
		for _, word := range append([]string{name}, args...) {
			quoted, err := syntax.Quote(word, syntax.LangBash)
			if err != nil {
				return nil, nil, err
			}
			line.WriteString(quoted + " ")
		}
		return strings.NewReader(line.String()), nil, nil
	}
	if len(args) == 0 {
		return os.Stdin, nil, nil
	}
	if args[0] != "-c" || len(args) < 2 {
		return nil, nil, fmt.Errorf("%s: want -c SCRIPT, not %q", name, args)
	}
	params = []string{"--"}
	if len(args) > 3 { // the first is the name of the script
		params = append(params, args[3:]...)
	}
	return strings.NewReader(args[1]), params, nil
}

// root is the directory of absolute paths.
func root() string {
	if dir := os.Getenv("CONTAINER_SANDBOX_MOUNT_POINT"); dir != "" {
		return filepath.Clean(dir)
	}
	return ""
}
