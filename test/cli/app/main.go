// Command app is the program of the examples in docs/guide.md: a server that runs until it is asked to end. Called
// tool.exe, it prints a line and exits.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	port := flag.Int("port", 80, "port to print")
	code := flag.Int("exit", -1, "exit at once with this code")
	busy := flag.Bool("busy", false, "use the processor")
	flag.Parse()
	if strings.HasPrefix(strings.ToLower(filepath.Base(os.Args[0])), "tool") {
		fmt.Println("12 orders checked")
		return
	}
	if *code >= 0 {
		fmt.Println("no database")
		os.Exit(*code)
	}
	fmt.Println("listening on port", *port)
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	if *busy {
		go func() {
			for { // half of a processor, about
				for until := time.Now().Add(10 * time.Millisecond); time.Now().Before(until); {
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
	}
	<-end
	fmt.Println("closing")
}
