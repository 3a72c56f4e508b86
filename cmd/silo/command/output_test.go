package command_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/command"
)

func TestOneLine_JoinedErrors_StandOnceEach(t *testing.T) {
	full, denied := errors.New("disk full"), errors.New("access denied")
	for want, err := range map[string]error{
		"disk full":                           errors.Join(full, full),
		"write a: disk full; access denied":   fmt.Errorf("write a: %w", errors.Join(full, denied, full)),
		"disk full; access denied":            errors.Join(errors.Join(full, denied), errors.Join(denied, full)),
		`unknown "rnu"; did you mean run; rm`: errors.New("unknown \"rnu\"\n\nDid you mean this?\n\trun\n\trm\n\n"),
		"two; words here":                     errors.New("two\r\n\twords  here\r\n"),
	} {
		if got := command.OneLine(err); got != want {
			t.Errorf("%q is %q, want %q", err, got, want)
		}
	}
}
