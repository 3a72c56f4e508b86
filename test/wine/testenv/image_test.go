package testenv_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	oci "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// entries reads a tar.
func entries(t *testing.T, content []byte) (names []string, of map[string][]byte) {
	t.Helper()
	of = map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(content)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, of
		}
		if err != nil {
			t.Fatal(err)
		}
		if of[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}

// decode reads a document of an archive and compares it with its descriptor.
func decode(t *testing.T, of map[string][]byte, d oci.Descriptor, into any) []byte {
	t.Helper()
	text := of["blobs/sha256/"+d.Digest.Encoded()]
	if digest.FromBytes(text) != d.Digest || int64(len(text)) != d.Size {
		t.Fatalf("%d bytes are not those of %s, %d", len(text), d.Digest, d.Size)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

func TestWriteImages_TwoImages_AreCompleteAndReproducible(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "program")
	if err := os.WriteFile(file, []byte("program"), 0o644); err != nil {
		t.Fatal(err)
	}
	images := []testenv.Image{
		{Name: "test.invalid/a:1", OSVersion: testenv.OSVersion, Entrypoint: []string{"a.exe"}, Files: map[string]string{"dir/a.exe": file}},
		{Name: "test.invalid/b:1", OSVersion: "10.0.1.1", Files: map[string]string{"dir/a.exe": file}},
	}
	var archives [][]byte
	for _, name := range []string{"one.tar", "two.tar"} {
		if err := testenv.WriteImages(filepath.Join(dir, name), images...); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, content)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("equal images gave different bytes")
	}
	_, of := entries(t, archives[0])
	var index oci.Index
	if err := json.Unmarshal(of["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	for i, d := range index.Manifests {
		var manifest oci.Manifest
		var config oci.Image
		decode(t, of, d, &manifest)
		decode(t, of, manifest.Config, &config)
		if config.OSVersion != images[i].OSVersion || d.Annotations["io.containerd.image.name"] != images[i].Name {
			t.Errorf("image %d is %+v, %+v", i, d, config)
		}
		names, _ := entries(t, decode(t, of, manifest.Layers[0], nil))
		if diff := cmp.Diff("Files Files/Windows Files/Windows/System32 Files/Windows/System32/config "+
			"Files/Windows/System32/config/DEFAULT Files/Windows/System32/config/SAM Files/Windows/System32/config/SECURITY "+
			"Files/Windows/System32/config/SOFTWARE Files/Windows/System32/config/SYSTEM Files/dir Files/dir/a.exe Hives",
			strings.Join(names, " ")); diff != "" {
			t.Errorf("entries of the layer (-want +got):\n%s", diff)
		}
	}
	if len(index.Manifests) != len(images) {
		t.Errorf("%d images are in the archive, want %d", len(index.Manifests), len(images))
	}
}

func TestWriteImages_FileMissing_ErrorNamesIt(t *testing.T) {
	err := testenv.WriteImages(filepath.Join(t.TempDir(), "x.tar"), testenv.Image{Name: "x", Files: map[string]string{"a": "/nowhere"}})
	if err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("error %v, want one that names the file", err)
	}
}
