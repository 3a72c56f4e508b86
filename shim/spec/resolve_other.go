//go:build !windows

package spec

import "path/filepath"

func resolve(path string) (string, error) { return filepath.EvalSymlinks(path) }
