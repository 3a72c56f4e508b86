package testenv

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// npmPackage is a package with these files.
func npmPackage(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnpack_Folder_ItsFilesAlone(t *testing.T) {
	dir := t.TempDir()
	archive := npmPackage(t, map[string]string{"package/bin/a.exe": "program", "package/bin/lib/b": "library", "package/binary": "", "package/other/c": ""})
	if err := unpack(archive, "bin", dir); err != nil {
		t.Fatal(err)
	}
	var found []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(dir)+"/"))
		}
		return err
	})
	if want := []string{"bin/a.exe", "bin/lib/b"}; err != nil || !slices.Equal(found, want) {
		t.Errorf("%v: %q, want %q", err, found, want)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "bin", "a.exe")); err != nil || string(text) != "program" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestUnpack_NameOutside_Refused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	err := unpack(npmPackage(t, map[string]string{"package/../../escaped": "x"}), ".", dir)
	if err == nil || !strings.Contains(err.Error(), "escaped") {
		t.Errorf("%v, want an error that names the file", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "..", "escaped")); err == nil {
		t.Error("the file is outside of the directory")
	}
}
