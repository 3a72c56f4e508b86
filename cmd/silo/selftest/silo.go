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

// serviceTrials are about silos and the Host Compute Service.
var serviceTrials = []trial{
	{name: "a plain job is no silo", run: func(_ context.Context, s *stage) error {
		_, err := s.job.Silo()
		if errors.Is(err, jobobject.ErrNotSilo) {
			return nil
		}
		if err == nil {
			err = errors.New("the kernel reports it as a silo")
		}
		return err
	}},
	{name: "a job becomes a silo", run: func(_ context.Context, s *stage) error {
		if err := s.job.PromoteToSilo(); err != nil {
			return err
		}
		silo, err := s.job.Silo()
		s.note = fmt.Sprintf("silo %d", silo.ID)
		return err
	}},
	{name: "the Host Compute Service can be called", run: func(ctx context.Context, s *stage) error {
		list, err := s.Service.Enumerate(ctx, nil)
		if err != nil {
			return missing{err}
		}
		s.note = fmt.Sprintf("%d compute systems", len(list))
		return nil
	}},
}

// fileTrials are about the files of silos, and of programs that are terminated.
var fileTrials = []trial{
	{name: "a directory bound into a silo is seen there alone", settles: "U71", run: func(ctx context.Context, s *stage) error {
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
				err = unkept("a member of the silo does not see it")
			}
			return err
		})
	}},
	{name: "a read-only directory is bound below another one, where the host has none", settles: "U74", run: boundBelow},
	{name: "a file deleted on close keeps its directory, and goes when its program is terminated", settles: "U80", run: func(ctx context.Context, s *stage) error {
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
				return fmt.Errorf("the file exists after the end of its program: %w", errors.Join(err, fs.ErrExist))
			}
			return nil
		})
	}},
}

// inDirectory runs f with a new directory.
func inDirectory(f func(dir string) error) error {
	dir, err := os.MkdirTemp("", "silo-selftest")
	if err != nil {
		return err
	}
	return errors.Join(f(dir), os.RemoveAll(dir))
}

// boundBelow binds an image at root and a volume at root/data. The image has the directory data, and the host has none.
func boundBelow(ctx context.Context, s *stage) error {
	return inDirectory(func(dir string) error {
		image, volume, root := filepath.Join(dir, "image"), filepath.Join(dir, "volume"), filepath.Join(dir, "root")
		data := filepath.Join(root, "data")
		for _, made := range []string{filepath.Join(image, "data"), volume} {
			if err := os.MkdirAll(made, 0o700); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(volume, "here"), nil, 0o600); err != nil {
			return err
		}
		if err := s.job.PromoteToSilo(); err != nil {
			return err
		}
		for _, m := range []jobobject.Mapping{{Root: root, Target: image}, {Root: data, Target: volume, ReadOnly: true}} {
			if err := s.job.Bind(m); err != nil {
				return err
			}
		}
		for _, c := range []struct {
			workload, file string
			want           uint32
			wrong          string
		}{
			{"find", filepath.Join(data, "here"), 0, "a member of the silo does not see the volume"},
			{"make", filepath.Join(data, "new"), refused, "a member of the silo can write to the volume"},
		} {
			code, err := s.code(ctx, c.workload, c.file)
			if err != nil {
				return err
			}
			if code != c.want {
				return unkept(c.wrong)
			}
		}
		if _, err := os.Stat(data); err == nil {
			return unkept("the host has the directory, too")
		}
		return nil
	})
}
