package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// contents returns the files of an archive, by their names in it.
func (b *build) contents(ctx context.Context) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, c := range commands {
		exe := filepath.Join(b.dir, c.exe())
		text, err := os.ReadFile(exe)
		if err != nil {
			return nil, err
		}
		files[c.exe()] = text
		if err := b.source.addLicenses(ctx, files, exe); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		text, err := os.ReadFile(filepath.Join(b.source.dir, name))
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	return files, nil
}

// licenseName matches the files with the terms of a module.
var licenseName = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// addLicenses adds the license files of Go and of each module that an executable links.
func (s *source) addLicenses(ctx context.Context, files map[string][]byte, exe string) error {
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		return err
	}
	root, err := run(ctx, s.dir, plainGo, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	directories := map[string]string{"go@" + info.GoVersion: root}
	args := []string{"list", "-m", "-f", "{{.Path}}@{{.Version}}\t{{.Dir}}"}
	for _, module := range info.Deps {
		args = append(args, module.Path)
	}
	list, err := run(ctx, s.dir, plainGo, "go", args...)
	if err != nil {
		return err
	}
	for line := range strings.Lines(list) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		directories[name] = dir
	}
	if len(directories) != len(info.Deps)+1 {
		return fmt.Errorf("%d directories are known of %d modules", len(directories)-1, len(info.Deps))
	}
	for name, dir := range directories {
		if err := addLicense(files, path.Join("licenses", name), dir); err != nil {
			return err
		}
	}
	return nil
}

// addLicense adds the license files of one module.
func addLicense(files map[string][]byte, name, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !licenseName.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		files[path.Join(name, e.Name())] = text
		found = true
	}
	if !found {
		return fmt.Errorf("%s has no license file", name)
	}
	return nil
}

// writeArchive writes a zip file whose bytes depend on nothing but its files and their time.
func writeArchive(name string, at time.Time, files map[string][]byte) (err error) {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := zip.NewWriter(out)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: file, Method: zip.Deflate, Modified: at}
		header.SetMode(0o644)
		to, err := w.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := to.Write(files[file]); err != nil {
			return err
		}
	}
	return w.Close()
}

// sumsFile has the checksums of all other files of a release, as sha256sum -c reads it.
const sumsFile = "SHA256SUMS"

// writeSums writes and prints the checksums of all files below dir.
func writeSums(log io.Writer, dir string) error {
	var list strings.Builder
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		sum, err := sumOf(name)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, name)
		fmt.Fprintf(&list, "%s  %s\n", sum, filepath.ToSlash(below))
		return err
	})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(log, list.String()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(list.String()), 0o644)
}

func sumOf(name string) (string, error) {
	text, err := os.ReadFile(name)
	return fmt.Sprintf("%x", sha256.Sum256(text)), err
}
