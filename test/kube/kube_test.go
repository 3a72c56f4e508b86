package kube

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const deploy = "../../deploy"

// schemas are the schemas that Kubernetes publishes. Without them the test is skipped.
func schemas(t *testing.T) *Schemas {
	t.Helper()
	dir, err := Published(t.Context())
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return NewSchemas(dir)
}

// manifests are the YAML files of deploy/kubernetes.
func manifests(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(filepath.Join(deploy, "kubernetes"), func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
			list = append(list, path)
		}
		return err
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("%d files in %s: %v", len(list), deploy, err)
	}
	return list
}

// isKustomization reports whether kustomize reads a file: Kubernetes has no schema for it.
func isKustomization(path string) bool { return filepath.Base(path) == "kustomization.yaml" }

// objects are the objects of deploy/kubernetes, by kind and name.
func objects(t *testing.T) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, path := range manifests(t) {
		if isKustomization(path) {
			continue
		}
		list, err := Objects(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range list {
			name := text(object, "kind") + " " + text(object, "metadata", "name")
			if all[name] != nil {
				t.Errorf("%s exists twice", name)
			}
			all[name] = object
		}
	}
	return all
}

func TestManifests_Schemas_AllValid(t *testing.T) {
	s := schemas(t)
	for name, object := range objects(t) {
		if err := s.Validate(object); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// kustomize checks a kustomization, and the schemas check its result.
func TestKustomizations_Build_AllValid(t *testing.T) {
	s := schemas(t)
	used := map[string]bool{}
	for _, path := range manifests(t) {
		if !isKustomization(path) {
			continue
		}
		made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Dir(path))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, r := range made.Resources() {
			object, err := r.Map()
			if err != nil {
				t.Fatal(err)
			}
			used[r.GetKind()+" "+r.GetName()] = true
			if err := s.Validate(object); err != nil {
				t.Errorf("%s: %s %s: %v", path, r.GetKind(), r.GetName(), err)
			}
		}
	}
	for name := range objects(t) {
		if !used[name] {
			t.Errorf("no kustomization has %s", name)
		}
	}
}

// Each file of testdata is invalid. Its first line has the words that the error must contain.
func TestValidate_WrongManifest_ErrorNamesTheFault(t *testing.T) {
	s := schemas(t)
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(content), "\n")
		want := strings.TrimPrefix(first, "# error: ")
		list, err := Objects(path)
		for _, object := range list {
			err = errors.Join(err, s.Validate(object))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error that names %q", path, err, want)
		}
	}
}
