package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseVersion_Forms(t *testing.T) {
	for text, want := range map[string][3]int{"v0.1.0": {0, 1, 0}, "v12.3.45-rc.1": {12, 3, 45}, "v65535.0.0": {65535, 0, 0}} {
		if v, err := parseVersion(text); err != nil || v.number != want {
			t.Errorf("%s: %v, %v, want %v", text, v.number, err, want)
		}
	}
	for _, text := range []string{"", "0.1.0", "v1", "v1.2", "v01.2.3", "v1.2.3+meta", "v1.2.3-", "v1.2.65536", "v1.2.3 ", "v1.2.3;x"} {
		if _, err := parseVersion(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// repository makes a repository with one commit, of a file go.mod.
func repository(t *testing.T, module string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", ".")
	commit(t, dir)
	return dir
}

func commit(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--allow-empty", "-m", "test")
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	if _, err := run(t.Context(), dir, nil, "git", args...); err != nil {
		t.Fatal(err)
	}
}

func TestRelease_Refused_OutIsLeftAlone(t *testing.T) {
	const module = "module x\n\ngo 1.26.8\n"
	changed, moved, other := repository(t, module), repository(t, module), repository(t, "module x\n\ngo 1.2.3\n")
	if err := os.WriteFile(filepath.Join(changed, "new"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, moved, "tag", tag)
	commit(t, moved)
	for _, c := range []struct {
		o    options
		want string
	}{
		{options{repository: changed, version: tag}, "commit them"},
		{options{repository: moved, version: tag}, "check out the tag"},
		{options{repository: other, version: tag}, "GOTOOLCHAIN=go1.2.3"},
		{options{repository: other, version: "0.1.0"}, "v1.2.3"},
		{options{repository: other, version: tag, sign: signing{certificate: "cert.pem"}}, "CERT and KEY"},
		{options{repository: t.TempDir(), version: tag}, "git status"},
	} {
		c.o.out = t.TempDir()
		kept := filepath.Join(c.o.out, "kept")
		if err := os.WriteFile(kept, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := release(t.Context(), io.Discard, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if _, err := os.Stat(kept); err != nil {
			t.Errorf("%s: %v", c.want, err)
		}
	}
}

func TestAddLicense_ModuleWithoutOne_IsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"licenser.go", "README.md"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := addLicense(map[string][]byte{}, "licenses/m@v1", dir); err == nil || !strings.Contains(err.Error(), "licenses/m@v1 has no license file") {
		t.Errorf("got %v", err)
	}
	files := map[string][]byte{}
	for _, name := range []string{"LICENSE", "COPYING.txt", "NOTICE", "license-MIT", "PATENTS", "UNLICENSE"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := addLicense(files, "licenses/m@v1", dir); err != nil || len(files) != 6 {
		t.Errorf("%v, files %v", err, files)
	}
}
