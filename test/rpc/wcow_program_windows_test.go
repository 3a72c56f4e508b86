package rpc

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// programKey is the environment variable that makes a test binary a program of a container; its value selects the program.
const programKey = "RPC_PROGRAM"

// The exit codes of the programs.
const (
	endTyped     = 21 // console read the word
	endInterrupt = 30 // events received CTRL_C or CTRL_BREAK
	endTerm      = 31 // events received CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN
	endBroken    = 99
)

func TestMain(m *testing.M) {
	switch os.Getenv(programKey) {
	case "":
		os.Exit(m.Run())
	case "console":
		os.Exit(showConsole())
	case "events":
		os.Exit(awaitEvent(1))
	case "publish":
		os.Exit(publish())
	case "deaf":
		os.Exit(awaitEvent(1 << 30))
	}
	os.Exit(endBroken)
}

// showConsole prints the size of its console, and exits when it reads a line with "stop". It opens the console by name: Wine
// gives a program of a pseudo console no standard streams.
func showConsole() int {
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		return endBroken
	}
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return endBroken
	}
	var screen windows.ConsoleScreenBufferInfo
	if err := windows.GetConsoleScreenBufferInfo(windows.Handle(out.Fd()), &screen); err != nil {
		return endBroken
	}
	if _, err := fmt.Fprintf(out, "console of %d by %d\r\n", screen.Size.X, screen.Size.Y); err != nil {
		return endBroken
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "stop" {
			return endTyped
		}
	}
	return endBroken
}

// awaitEvent prints a line when its handler is installed. It exits at the console control event with that ordinal, with a
// code for its kind.
func awaitEvent(number int) int {
	events := make(chan os.Signal, 1)
	signal.Notify(events, os.Interrupt, syscall.SIGTERM)
	fmt.Println("listening")
	for range number - 1 {
		<-events
	}
	if <-events == os.Interrupt {
		return endInterrupt
	}
	return endTerm
}
