package testenv

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	oci "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is a Windows container image with one layer, as small as containerd accepts.
type Image struct {
	Name       string // with its registry and tag
	OSVersion  string
	Entrypoint []string
	Cmd        []string // default arguments
	Env        []string
	User       string
	Files      map[string]string // Unix paths on this machine, by paths with slashes below the image's root
}

// layerAttributes are the file attributes that the tar of a Windows layer has for each entry.
const (
	attributeDirectory = "16"
	attributeArchive   = "32"
)

// hives are the registry files that a base layer must have. A program in a job container never reads them.
var hives = []string{"DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"}

// archive is an OCI image layout in a tar file that is being written.
type archive struct {
	tar   *tar.Writer
	known map[digest.Digest]bool
	index oci.Index
}

// WriteImages writes an OCI archive for "ctr images import". Equal images give equal bytes.
func WriteImages(file string, images ...Image) error {
	var out bytes.Buffer
	a := &archive{tar: tar.NewWriter(&out), known: map[digest.Digest]bool{}}
	a.index.Versioned = specs.Versioned{SchemaVersion: 2}
	for _, image := range images {
		if err := a.add(image); err != nil {
			return fmt.Errorf("write image %s: %w", image.Name, err)
		}
	}
	index, err := json.Marshal(a.index)
	if err != nil {
		return fmt.Errorf("write images: %w", err)
	}
	layout := fmt.Appendf(nil, `{"imageLayoutVersion":%q}`, oci.ImageLayoutVersion)
	err = errors.Join(
		write(a.tar, &tar.Header{Name: oci.ImageLayoutFile}, layout),
		write(a.tar, &tar.Header{Name: oci.ImageIndexFile}, index),
		a.tar.Close(),
	)
	if err != nil {
		return fmt.Errorf("write images: %w", err)
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// add writes the layer, the configuration and the manifest of an image.
func (a *archive) add(image Image) error {
	layer, err := image.layer()
	if err != nil {
		return err
	}
	platform := oci.Platform{OS: "windows", Architecture: "amd64", OSVersion: image.OSVersion}
	layers := []oci.Descriptor{{MediaType: oci.MediaTypeImageLayer}}
	if err := a.blob(&layers[0], layer); err != nil {
		return err
	}
	config := oci.Descriptor{MediaType: oci.MediaTypeImageConfig}
	if err := a.document(&config, oci.Image{
		Platform: platform,
		Config:   oci.ImageConfig{Entrypoint: image.Entrypoint, Cmd: image.Cmd, Env: image.Env, User: image.User, WorkingDir: `C:\`},
		RootFS:   oci.RootFS{Type: "layers", DiffIDs: []digest.Digest{layers[0].Digest}},
	}); err != nil {
		return err
	}
	manifest := oci.Descriptor{MediaType: oci.MediaTypeImageManifest, Platform: &platform}
	manifest.Annotations = map[string]string{"io.containerd.image.name": image.Name}
	if err := a.document(&manifest, oci.Manifest{
		Versioned: a.index.Versioned, MediaType: manifest.MediaType, Config: config, Layers: layers,
	}); err != nil {
		return err
	}
	a.index.Manifests = append(a.index.Manifests, manifest)
	return nil
}

// document adds a value as JSON.
func (a *archive) document(d *oci.Descriptor, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return a.blob(d, text)
}

// blob adds content under its digest, once, and describes it.
func (a *archive) blob(d *oci.Descriptor, content []byte) error {
	d.Digest, d.Size = digest.FromBytes(content), int64(len(content))
	if a.known[d.Digest] {
		return nil
	}
	a.known[d.Digest] = true
	return write(a.tar, &tar.Header{Name: path.Join(oci.ImageBlobsDir, "sha256", d.Digest.Encoded())}, content)
}

// layer is the tar of the layer: the files of a base layer, and those of the image.
func (i Image) layer() ([]byte, error) {
	content := map[string][]byte{}
	for _, hive := range hives {
		content["Files/Windows/System32/config/"+hive] = nil
	}
	for name, from := range i.Files {
		text, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		content[path.Join("Files", name)] = text
	}
	names := []string{"Hives/"}
	for name := range content {
		names = append(names, name)
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			names = append(names, dir+"/")
		}
	}
	slices.Sort(names) // a directory comes before its files
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	for _, name := range slices.Compact(names) {
		if err := write(t, layerHeader(name), content[name]); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), t.Close()
}

// layerHeader describes an entry as Windows layers do. Names of directories end with a slash.
func layerHeader(name string) *tar.Header {
	h := &tar.Header{Name: strings.TrimSuffix(name, "/"), Typeflag: tar.TypeReg, Format: tar.FormatPAX, ModTime: time.Unix(1_700_000_000, 0)}
	attribute := attributeArchive
	if h.Name != name {
		h.Typeflag, attribute = tar.TypeDir, attributeDirectory
	}
	h.PAXRecords = map[string]string{"MSWINDOWS.fileattr": attribute}
	return h
}

// write adds an entry with its content.
func write(t *tar.Writer, h *tar.Header, content []byte) error {
	h.Mode, h.Size = 0o755, int64(len(content))
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err := t.Write(content)
	return err
}
