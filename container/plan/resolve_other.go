//go:build !windows

package plan

import "path/filepath"

func resolve(path string) (string, error) { return filepath.EvalSymlinks(path) }
