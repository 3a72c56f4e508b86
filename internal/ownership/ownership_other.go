//go:build !windows

package ownership

import (
	"fmt"
	"os"
	"syscall"
)

func owned(path string) (ours bool, owner string, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return false, "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false, "", fmt.Errorf("unexpected %T", info.Sys())
	}
	return stat.Uid == 0 || int(stat.Uid) == os.Geteuid(), fmt.Sprintf("user %d", stat.Uid), nil
}

func makeDir(path, _ string) error { return os.Mkdir(path, 0o700) }
