// Command silo runs, limits and watches programs and containers on Windows.
package main

import (
	"context"
	"os"

	"github.com/siloshim/siloshim/cmd/silo/command"
)

func main() { os.Exit(command.System().Main(context.Background(), os.Args[0], os.Args[1:])) }
