package testenv

import (
	"context"
	"os/exec"
	"sync"
)

// setarch is of Debian's util-linux, which every Debian has.
const setarch = "setarch"

// fixable tells whether addresses may be fixed here. Some containers forbid it.
var fixable = sync.OnceValue(func() bool { return exec.Command(setarch, "-R", "true").Run() == nil })

// command prepares a program, and Wine's loader with fixed addresses. Debian's Wine has no preloader, which would keep the
// address of KUSER_SHARED_DATA free, 0x7ffe0000. The kernel puts the heap of the loader anywhere in the gigabyte behind
// 0x7d000000: one process in some thousands finds its heap there and ends at once, with exit code 1 and without a word. Its
// children inherit the setting.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if name == wineLoader && fixable() {
		name, args = setarch, append([]string{"-R", wineLoader}, args...)
	}
	return exec.CommandContext(ctx, name, args...)
}
