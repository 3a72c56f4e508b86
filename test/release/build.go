package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// program is an executable of a release.
type program struct{ name, description string }

func (c program) exe() string { return c.name + ".exe" }
func (c program) pkg() string { return "./cmd/" + c.name }

// build makes the executables of one architecture.
type build struct {
	source *source
	tools  tools
	arch   string
	dir    string // of the executables
}

// env has the target of the build.
func (b *build) env() []string { return append(plainGo, "GOOS=windows", "GOARCH="+b.arch) }

// file is the name of a file of the release for this architecture.
func (b *build) file(prefix, suffix string) string {
	return fmt.Sprintf("%s_%s_windows_%s%s", prefix, b.source.version, b.arch, suffix)
}

// run builds, signs and packs the executables, and writes their bills of materials. It returns the path of the archive.
func (b *build) run(ctx context.Context, o options) (archive string, err error) {
	for _, c := range commands {
		if err := b.compile(ctx, c); err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		if err := o.sign.sign(ctx, filepath.Join(b.dir, c.exe()), c.description); err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		bill, err := b.bill(ctx, c)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		if err := os.WriteFile(filepath.Join(o.out, b.file(c.name, ".cdx.json")), bill, 0o644); err != nil {
			return "", err
		}
	}
	files, err := b.contents(ctx)
	if err != nil {
		return "", err
	}
	archive = filepath.Join(o.out, b.file("siloshim", ".zip"))
	return archive, writeArchive(archive, b.source.time, files)
}

// compile builds an executable with its properties. The go command links the resource that is in the package's directory.
func (b *build) compile(ctx context.Context, c program) (err error) {
	resource := filepath.Join(b.source.dir, "cmd", c.name, "resource_windows_"+b.arch+".syso")
	if err := b.writeResource(ctx, c, resource); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(resource)) }()
	_, err = run(ctx, b.source.dir, b.env(), "go", "build", "-tags", "no_grpc", "-trimpath", "-buildvcs=true", "-ldflags", "-s -w",
		"-o", filepath.Join(b.dir, c.exe()), c.pkg())
	return err
}

// bill returns the bill of materials of an executable, in CycloneDX. It has no serial number and no time.
func (b *build) bill(ctx context.Context, c program) ([]byte, error) {
	path := filepath.Join(b.dir, c.name+".json")
	env := append(b.env(), "GOFLAGS=-tags=no_grpc")
	if _, err := run(ctx, b.source.dir, env, b.tools.path("cyclonedx-gomod"), "app", "-json", "-licenses", "-std", "-noserial", "-notimestamp",
		"-main", "cmd/"+c.name, "-output", path, "."); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return withoutToolHashes(text)
}

// withoutToolHashes removes the checksums of the tool that wrote a bill of materials: they differ between systems.
func withoutToolHashes(text []byte) ([]byte, error) {
	var bill map[string]any
	if err := json.Unmarshal(text, &bill); err != nil {
		return nil, err
	}
	metadata, _ := bill["metadata"].(map[string]any)
	list, _ := metadata["tools"].([]any)
	if len(list) == 0 {
		return nil, errors.New("the bill of materials names no tool")
	}
	for _, tool := range list {
		if fields, ok := tool.(map[string]any); ok {
			delete(fields, "hashes")
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(bill)
	return out.Bytes(), err
}
