// Command tar is what kubectl cp runs in a container: "tar cf - PATH" and "tar -xmf - -C DIR". Windows has such a program,
// and Wine none.
package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tar:", err)
		os.Exit(1)
	}
}

func dispatch(args []string) error {
	// A path that begins with a slash is on the current drive of Windows. Wine takes it for a path of Linux.
	switch {
	case len(args) == 3 && args[0] == "cf" && args[1] == "-":
		return pack(os.Stdout, filepath.FromSlash(args[2]))
	case len(args) == 4 && args[0] == "-xmf" && args[1] == "-" && args[2] == "-C":
		return unpack(os.Stdin, filepath.FromSlash(args[3]))
	}
	return fmt.Errorf("arguments %q: want cf - PATH, or -xmf - -C DIR", args)
}

// pack writes a file, or the tree of a directory.
func pack(out io.Writer, path string) error {
	w := tar.NewWriter(out)
	err := filepath.Walk(path, func(file string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		header, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return err
		}
		header.Name = strings.TrimLeft(filepath.ToSlash(file), "/")
		if err := w.WriteHeader(header); err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	if err != nil {
		return err
	}
	return w.Close()
}

// unpack writes the files of an archive below a directory.
func unpack(in io.Reader, path string) error {
	dir, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // it is only read
	for r := tar.NewReader(in); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeDir {
			err = dir.MkdirAll(filepath.FromSlash(header.Name), 0o755)
		} else if text, readErr := io.ReadAll(r); readErr != nil {
			err = readErr
		} else {
			err = dir.WriteFile(filepath.FromSlash(header.Name), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
}
