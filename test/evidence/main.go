// Command evidence collects what a Windows host proves, and puts it into the documents:
//
//	go run ./test/evidence collect -out DIR    on a Windows host: tests, selftest, doctor, benchmarks
//	go run ./test/evidence apply -root . DIR   writes docs/evidence.md and docs/unproved.md
//
// DIR has a directory for each host and user, which collect has filled.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "evidence:", err)
		stop()
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: evidence collect -out DIR | evidence apply [-root ROOT] DIR")

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	out := flags.String("out", "", "for collect: the directory to fill")
	root := flags.String("root", ".", "for apply: the root of the repository")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch {
	case args[0] == "collect" && *out != "" && flags.NArg() == 0:
		return collect(ctx, *out)
	case args[0] == "apply" && flags.NArg() == 1:
		return apply(os.Stdout, *root, flags.Arg(0))
	}
	return errUsage
}
