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

// programKey marks in the environment a test binary that is to be a program of a container: the value says which.
const programKey = "RPC_PROGRAM"

// How the programs end.
const (
	endTyped     = 21 // console was typed the word
	endInterrupt = 30 // events got CTRL_C or CTRL_BREAK
	endTerm      = 31 // events got CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN
	endBroken    = 99
)

func TestMain(m *testing.M) {
	switch os.Getenv(programKey) {
	case "":
		os.Exit(m.Run())
	case "console":
		os.Exit(showConsole())
	case "events":
		os.Exit(hearEvent(1))
	case "publish":
		os.Exit(publish())
	case "deaf":
		os.Exit(hearEvent(1 << 30))
	}
	os.Exit(endBroken)
}

// showConsole tells the size of its console, and ends when it was typed a line with "stop". It asks for the console by name:
// Wine gives a program of a pseudo console no standard streams.
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

// hearEvent says that it listens, and ends at a console control event, the one of that number, with a code that tells
// its kind.
func hearEvent(number int) int {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, os.Interrupt, syscall.SIGTERM)
	fmt.Println("listening")
	for range number - 1 {
		<-heard
	}
	if <-heard == os.Interrupt {
		return endInterrupt
	}
	return endTerm
}
