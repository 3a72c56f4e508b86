package selftest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/siloshim/siloshim/jobobject"
)

// fileTrials are about files of silos and of programs that are killed.
var fileTrials = []trial{
	{name: "a silo sees a directory at a path of its own", settles: "U71", run: func(ctx context.Context, s *stage) error {
		return inDirectory(func(dir string) error {
			target, root := filepath.Join(dir, "target"), filepath.Join(dir, "root")
			if err := os.Mkdir(target, 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(target, "here"), nil, 0o600); err != nil {
				return err
			}
			if err := s.job.PromoteToSilo(); err != nil {
				return err
			}
			if err := s.job.Bind(jobobject.Mapping{Root: root, Target: target}); err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(root, "here")); err == nil {
				return unkept("the host sees it, too")
			}
			code, err := s.code(ctx, "find", filepath.Join(root, "here"))
			if err == nil && code != 0 {
				err = unkept("a member does not")
			}
			return err
		})
	}},
	{name: "a file that is deleted on close goes with its killed program, and keeps its directory until then", settles: "U80", run: func(ctx context.Context, s *stage) error {
		return inDirectory(func(dir string) error {
			kept := filepath.Join(dir, "kept")
			if err := os.Mkdir(kept, 0o700); err != nil {
				return err
			}
			file := filepath.Join(kept, "temporary")
			p, err := s.ready("temporary", file)
			if err != nil {
				return err
			}
			if err := os.Remove(kept); err == nil {
				return unkept("its directory was removed")
			}
			if err := s.job.Terminate(1); err != nil {
				return err
			}
			if err := ends(ctx, p, 1); err != nil {
				return err
			}
			if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("after the end of its program: %w", errors.Join(errors.New("the file is there"), err))
			}
			return nil
		})
	}},
}

// inDirectory has a directory for the time of f.
func inDirectory(f func(dir string) error) error {
	dir, err := os.MkdirTemp("", "silo-selftest")
	if err != nil {
		return err
	}
	return errors.Join(f(dir), os.RemoveAll(dir))
}
