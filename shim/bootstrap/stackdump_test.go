//go:build !windows

package bootstrap

import (
	"strings"
	"syscall"
	"testing"
)

func TestStackdump_Signal_DumpInLog(t *testing.T) {
	d := newDaemon(t)
	out, err := d.start("c1", d.bundle("c1", goodConfig), nil)
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	s := connect(t, d, "c1", string(out))
	if err := syscall.Kill(int(s.pid), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	for words := ""; !strings.Contains(words, "end of goroutine stack dump"); {
		line, err := s.log.ReadString('\n')
		if err != nil {
			t.Fatalf("no dump in the log: %v", err)
		}
		words += line // the dump is one record, and maybe many lines
	}
	s.end()
}
