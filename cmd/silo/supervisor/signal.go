package supervisor

import (
	"fmt"
	"slices"
	"strings"
)

// Signal is a console control event.
//
// https://learn.microsoft.com/windows/console/handlerroutine
type Signal uint32

// The events.
const (
	CtrlC        Signal = 0
	CtrlBreak    Signal = 1
	CtrlClose    Signal = 2
	CtrlLogoff   Signal = 5
	CtrlShutdown Signal = 6
)

var signalNames = map[Signal][]string{
	CtrlC: {"ctrl-c", "sigint", "int", "2"}, CtrlBreak: {"ctrl-break", "sigbreak", "break", "21"}, CtrlClose: {"ctrl-close", "sighup", "hup", "1"},
	CtrlLogoff: {"ctrl-logoff"}, CtrlShutdown: {"ctrl-shutdown", "sigterm", "term", "15"},
}

func (s Signal) String() string {
	if names := signalNames[s]; len(names) > 0 {
		return names[0]
	}
	return fmt.Sprint(uint32(s))
}

// ParseSignal reads the name of an event, or of the signal that containers know it by.
func ParseSignal(text string) (Signal, error) {
	word := strings.ReplaceAll(strings.ToLower(text), "_", "-")
	word = strings.TrimSuffix(word, "-event")
	for s, names := range signalNames {
		if slices.Contains(names, word) {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is not one of ctrl-c, ctrl-break, ctrl-close, ctrl-logoff, ctrl-shutdown, SIGINT, SIGHUP, SIGTERM", text)
}

// ParseSignals reads several, separated by commas.
func ParseSignals(text string) ([]Signal, error) {
	var list []Signal
	for word := range strings.SplitSeq(text, ",") {
		s, err := ParseSignal(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
