package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

// projectURL is where releases are published.
const projectURL = "https://github.com/siloshim/siloshim"

// packaging is the directory of the package managers' templates, in the repository. A template is a file whose name ends with .tmpl.
const packaging = "deploy/packages"

// manifest is what a template is filled with.
type manifest struct {
	Version, Tag, Commit, Date, URL string
	// Archives are addresses, and Sums the SHA-256 checksums, by architecture.
	Archives, Sums map[string]string
}

// Upper is for the package managers that compare checksums in upper case.
func (manifest) Upper(s string) string { return strings.ToUpper(s) }

// manifestOf describes a release for the package managers.
func (s *source) manifestOf(sums map[string]string) manifest {
	m := manifest{
		Version: s.version.bare(), Tag: s.version.text, Commit: s.commit, Date: s.time.Format("2006-01-02"), URL: projectURL,
		Archives: map[string]string{}, Sums: sums,
	}
	for arch := range sums {
		b := build{source: s, arch: arch}
		m.Archives[arch] = fmt.Sprintf("%s/releases/download/%s/%s", projectURL, s.version, b.file("siloshim", ".zip"))
	}
	return m
}

// writeManifests writes the package managers' manifests and the install script into out.
func (s *source) writeManifests(out string, sums map[string]string) error {
	script, err := os.ReadFile(filepath.Join(s.dir, "deploy", "install.ps1"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "install.ps1"), script, 0o644); err != nil {
		return err
	}
	return fillTemplates(os.DirFS(filepath.Join(s.dir, filepath.FromSlash(packaging))), out, s.manifestOf(sums))
}

// fillTemplates writes each template of a tree below out.
func fillTemplates(tree fs.FS, out string, m manifest) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".tmpl" {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		t, err := template.New(name).Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err
		}
		var filled strings.Builder
		if err := t.Execute(&filled, m); err != nil {
			return err
		}
		to := filepath.Join(out, filepath.FromSlash(strings.TrimSuffix(name, ".tmpl")))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, []byte(filled.String()), 0o644)
	})
}
