package hcs_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// Start a container, run a process in it, stream its output, and shut down.
func Example() {
	// For a real container leave Service out, and mount the layers beforehand.
	service := hcstest.New()
	service.Program("hello.exe", func(p *hcstest.Proc) uint32 {
		fmt.Fprintln(p.Stdout, "hello from", p.Parameters.User)
		return 3
	})
	code, err := run(context.Background(), &hcs.Client{Service: service}, hcstest.Container())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exit code", code)
	// Output:
	// hello from ContainerUser
	// exit code 3
}

func run(ctx context.Context, client *hcs.Client, document schema.ComputeSystem) (uint32, error) {
	system, err := client.Create(ctx, "example", &document)
	if err != nil {
		return 0, err
	}
	defer system.Close() // terminates the container if it still runs
	if err := system.Start(ctx); err != nil {
		return 0, err
	}
	process, err := system.CreateProcess(ctx, &schema.ProcessParameters{
		CommandLine: "hello.exe", User: "ContainerUser", CreateStdOutPipe: true,
	})
	if err != nil {
		return 0, err
	}
	defer process.Close()
	if _, err := io.Copy(os.Stdout, process.Stdout()); err != nil {
		return 0, err
	}
	code, err := process.Wait(ctx)
	if err != nil {
		return 0, err
	}
	return code, system.ShutDown(ctx)
}
