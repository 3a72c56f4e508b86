package main

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/pe"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// tag is the version of the releases that these tests make.
const tag = "v0.1.0"

// work is the directory of the whole run.
var work string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "silo-release-test-")
	if err != nil {
		panic(err)
	}
	work = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// makeRelease makes a release of this repository's HEAD from a clone in dir, and returns its directory and commit.
func makeRelease(ctx context.Context, dir string, log io.Writer) (out, commit string, err error) {
	if _, err := run(ctx, ".", nil, "git", "clone", "--quiet", "../..", dir); err != nil {
		return "", "", err
	}
	commit, err = run(ctx, dir, nil, "git", "rev-parse", "HEAD")
	out = filepath.Join(dir, "bin", "release")
	return out, commit, errors.Join(err, release(ctx, log, options{repository: dir, version: tag, out: out}))
}

// first is the release that most tests look at.
var first = sync.OnceValues(func() (string, error) {
	out, _, err := makeRelease(context.Background(), filepath.Join(work, "first"), io.Discard)
	return out, err
})

func firstRelease(t *testing.T) string {
	t.Helper()
	out, err := first()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRelease_TwoDirectories_SameSums(t *testing.T) {
	a := firstRelease(t)
	var log bytes.Buffer
	b, commit, err := makeRelease(t.Context(), filepath.Join(work, "another", "directory"), &log)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text(t, filepath.Join(a, sumsFile)), text(t, filepath.Join(b, sumsFile))); diff != "" {
		t.Errorf("sums of two releases of %s differ:\n%s", commit, diff)
	}
	t.Logf("both:\n%s", &log)
}

func TestRelease_Sums_AreThoseOfTheFiles(t *testing.T) {
	dir := firstRelease(t)
	listed := map[string]bool{sumsFile: true}
	for line := range strings.Lines(text(t, filepath.Join(dir, sumsFile))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = true
		if got, err := sumOf(filepath.Join(dir, name)); err != nil || got != sum {
			t.Errorf("%s: %s, %v, want %s", name, got, err, sum)
		}
	}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		below, _ := filepath.Rel(dir, name)
		if err == nil && !d.IsDir() && !listed[filepath.ToSlash(below)] {
			t.Errorf("%s is not in %s", below, sumsFile)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// unpacked extracts the archive of an architecture and returns the names of its files.
func unpacked(t *testing.T, arch string) (dir string, names map[string]bool) {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(firstRelease(t), fmt.Sprintf("siloshim_%s_windows_%s.zip", tag, arch)))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	dir, names = t.TempDir(), map[string]bool{}
	if err := os.CopyFS(dir, archive); err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		names[f.Name] = true
	}
	return dir, names
}

func TestRelease_Archive_HasExecutablesOfTheCommitAndLicenses(t *testing.T) {
	modules := linked(t)
	commit, err := run(t.Context(), filepath.Join(work, "first"), nil, "git", "rev-parse", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	for arch, machine := range map[string]uint16{"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64} {
		dir, names := unpacked(t, arch)
		for _, c := range commands {
			exe := filepath.Join(dir, c.exe())
			image, err := pe.Open(exe)
			if err != nil {
				t.Fatal(err)
			}
			if image.Machine != machine || image.Section(".rsrc") == nil {
				t.Errorf("%s for %s: machine %#x, resources %v", c.name, arch, image.Machine, image.Section(".rsrc"))
			}
			if err := image.Close(); err != nil {
				t.Error(err)
			}
			info, err := buildinfo.ReadFile(exe)
			if err != nil {
				t.Fatal(err)
			}
			settings := map[string]string{}
			for _, s := range info.Settings {
				settings[s.Key] = s.Value
			}
			if info.Main.Version != tag || settings["vcs.revision"] != commit || settings["vcs.modified"] != "false" {
				t.Errorf("%s for %s: version %s, %v", c.name, arch, info.Main.Version, settings)
			}
			var got []string
			for _, m := range info.Deps {
				got = append(got, m.Path+" "+m.Version)
				licensed := false
				for name := range names {
					licensed = licensed || strings.HasPrefix(name, path.Join("licenses", m.Path+"@"+m.Version)+"/")
				}
				if !licensed {
					t.Errorf("the archive has no license of %s", m.Path)
				}
			}
			if diff := cmp.Diff(modules[c.name], got); diff != "" {
				t.Errorf("%s for %s (-golden +linked):\n%s", c.name, arch, diff)
			}
		}
		if !names["LICENSE"] || !names["licenses/go@"+runtime.Version()+"/LICENSE"] {
			t.Errorf("the archive lacks the license of this project or that of Go: %v", names)
		}
	}
}

// linked has the modules of each executable, as the golden file of the repository lists them.
func linked(t *testing.T) map[string][]string {
	t.Helper()
	firstRelease(t) // it has the clone
	modules, exe := map[string][]string{}, ""
	for line := range strings.Lines(text(t, filepath.Join(work, "first", "testdata", "dependencies.golden"))) {
		if module, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t"); ok {
			modules[exe] = append(modules[exe], module)
		} else {
			exe = strings.TrimSpace(line)
		}
	}
	return modules
}

func TestRelease_BillOfMaterials_HasLinkedModules(t *testing.T) {
	modules := linked(t)
	for _, c := range commands {
		for _, arch := range architectures {
			var bill struct {
				BomFormat  string
				Metadata   struct{ Component struct{ Version string } }
				Components []struct{ Name, Version string }
			}
			name := fmt.Sprintf("%s_%s_windows_%s.cdx.json", c.name, tag, arch)
			if err := json.Unmarshal([]byte(text(t, filepath.Join(firstRelease(t), name))), &bill); err != nil {
				t.Fatal(err)
			}
			if bill.BomFormat != "CycloneDX" || bill.Metadata.Component.Version != tag {
				t.Errorf("%s: %q of version %q", name, bill.BomFormat, bill.Metadata.Component.Version)
			}
			have := map[string]bool{}
			for _, m := range bill.Components {
				have[m.Name+" "+m.Version] = true
			}
			for _, m := range modules[c.name] {
				if !have[m] {
					t.Errorf("%s has no %s", name, m)
				}
			}
		}
	}
}

func TestRelease_Manifests_NameArchivesAndSums(t *testing.T) {
	dir := firstRelease(t)
	for _, arch := range architectures {
		archive := fmt.Sprintf("siloshim_%s_windows_%s.zip", tag, arch)
		sum, err := sumOf(filepath.Join(dir, archive))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"scoop/silo.json", "winget/siloshim.silo.installer.yaml", "chocolatey/tools/chocolateyInstall.ps1"} {
			got := text(t, filepath.Join(dir, name))
			if !strings.Contains(strings.ToLower(got), sum) || !strings.Contains(got, "/releases/download/"+tag+"/"+archive) {
				t.Errorf("%s has not both address and sum of %s:\n%s", name, archive, got)
			}
		}
	}
	if got := text(t, filepath.Join(dir, "scoop/silo.json")); !json.Valid([]byte(got)) {
		t.Errorf("invalid JSON: %s", got)
	}
	if err := xml.Unmarshal([]byte(text(t, filepath.Join(dir, "chocolatey/silo.nuspec"))), new(any)); err != nil {
		t.Error(err)
	}
}

func TestRelease_Properties_AsWindowsReadsThem(t *testing.T) {
	wine := testenv.Require(t)
	dir, _ := unpacked(t, "amd64")
	reader := filepath.Join(dir, "properties.exe")
	if _, err := run(t.Context(), ".", []string{"GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0"}, "go", "build", "-o", reader, "./properties"); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		out, err := wine.Command(t.Context(), reader, wine.WindowsPath(filepath.Join(dir, c.exe()))).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Logf("%s", out)
		for _, want := range []string{"File version: 0.1.0.0", "ProductVersion: " + tag, "OriginalFilename: " + c.exe(), "FileDescription: " + c.description, "Comments: commit "} {
			if !bytes.Contains(out, []byte(want)) {
				t.Errorf("%s: no %q in\n%s", c.name, want, out)
			}
		}
		if bytes.Contains(out, []byte("Icons: 0")) {
			t.Errorf("%s has no icon", c.name)
		}
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
