package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// utf16LE is a text as Windows PowerShell writes it to a file.
func utf16LE(text string) string {
	out := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

// encodings are forms of one text in which Windows tools write it.
var encodings = map[string]func(string) string{
	"UTF-8 with a byte order mark": func(text string) string { return "\uFEFF" + text },
	"UTF-16":                       utf16LE,
}

// reencode writes a file again in another encoding.
func reencode(t *testing.T, path string, encode func(string) string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(encode(string(text))), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestExplain_FileOfAnotherEncoding_SameCalls(t *testing.T) {
	w := newWorld(t)
	for name, encode := range encodings {
		for _, file := range []string{"job.json", "server.json", "nspawn.json"} {
			source := filepath.Join("testdata", file)
			if code := w.silo(t, "explain", source); code != 0 {
				t.Fatalf("%s: %s", file, &w.Stderr)
			}
			want := w.Stdout.String()
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(w.dir, file)
			if err := os.WriteFile(copied, []byte(encode(string(text))), 0o644); err != nil {
				t.Fatal(err)
			}
			if code := w.silo(t, "explain", copied); code != 0 || w.Stdout.String() != want {
				t.Errorf("%s, %s: exit %d, %s%s", file, name, code, &w.Stdout, &w.Stderr)
			}
		}
	}
}

func TestRun_EnvFileOfAnotherEncoding_SameVariables(t *testing.T) {
	for name, encode := range encodings {
		w := newWorld(t)
		var env []string
		w.Program("app.exe", func(p *jobtest.Proc) uint32 { env = p.Env; return 0 })
		file := filepath.Join(w.dir, "env")
		if err := os.WriteFile(file, []byte(encode("FIRST=ä\r\n# comment\r\nSECOND=2\r\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		code := w.silo(t, "run", "--clean-env", "--env-file", file, "--", "app")
		if code != 0 || !slices.Contains(env, "FIRST=ä") || !slices.Contains(env, "SECOND=2") {
			t.Errorf("%s: exit %d, environment %q: %s", name, code, env, &w.Stderr)
		}
	}
}

func TestRun_EnvFileCutOff_IsRefusedByName(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(w.dir, "env")
	if err := os.WriteFile(file, []byte("\xFF\xFEA"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code := w.silo(t, "run", "--env-file", file, "--", "app"); code != 125 || !strings.Contains(w.Stderr.String(), "--env-file: read "+file+": the file is UTF-16") {
		t.Errorf("exit %d: %s", code, &w.Stderr)
	}
}

func TestNspawn_FilesOfAnotherEncoding_ProgramRuns(t *testing.T) {
	for name, encode := range encodings {
		t.Run(name, func(t *testing.T) {
			s := newSpawned(t)
			s.service.Program("hello.exe", func(p *hcstest.Proc) uint32 {
				fmt.Fprintf(p.Stdout, "%q", p.Args[1:])
				return 0
			})
			reencode(t, s.config, encode)
			reencode(t, s.drive+"layer/layerchain.json", encode)
			if code := s.silo(t, "nspawn", "-c", s.config); code != 0 || s.Stdout.String() != `["foo" "two words"]` {
				t.Errorf("exit %d: %s%s", code, &s.Stdout, &s.Stderr)
			}
		})
	}
}
