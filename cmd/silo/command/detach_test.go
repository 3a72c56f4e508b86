package command

import (
	"strings"
	"testing"
)

func TestRun_DetachedWithLongWarning_IsReady(t *testing.T) {
	warning := strings.Repeat("w", 100_000) + "\n" // more than a bufio.Scanner takes
	var got strings.Builder
	if !awaitReady(strings.NewReader(warning+readyLine+" mine\n"), &got) || got.String() != warning {
		t.Errorf("not ready, or %d bytes of warnings, want %d", got.Len(), len(warning))
	}
	got.Reset()
	if awaitReady(strings.NewReader("no such program"), &got) || got.String() != "no such program" {
		t.Errorf("ready although nothing has started, or printed %q", &got)
	}
}
