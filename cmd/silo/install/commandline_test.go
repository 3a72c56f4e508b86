package install

import (
	"slices"
	"strings"
	"testing"
)

func TestService_Flag_EachForm(t *testing.T) {
	for line, want := range map[string]string{
		"--run-service --config PATH":               "PATH",
		"--run-service --config=PATH":               "PATH",
		"--run-service -config PATH":                "PATH",
		"--run-service -config=PATH":                "PATH",
		"--run-service -c PATH":                     "PATH",
		"--run-service --c=PATH":                    "PATH",
		"-c=a=b":                                    "a=b",
		"--log-level debug -c PATH --log-file FILE": "PATH",
		"--config FIRST --config=PATH":              "PATH",
		"--config PATH -- --config OTHER":           "PATH",
		"--run-service":                             "",
		"--config":                                  "",
		"--config=":                                 "",
		"--configuration=PATH config=PATH c PATH":   "",
		"---config PATH":                            "",
		"- -- -c PATH":                              "",
	} {
		if got := (Service{Args: strings.Fields(line)}).flag("config", "c"); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestCutProgram(t *testing.T) {
	files := []string{`C:\Program Files\containerd\containerd.exe`, `C:\bin\containerd.exe`, `C:\bin\containerd`}
	isFile := func(path string) bool { return slices.Contains(files, path) }
	for _, c := range []struct{ line, exe, rest string }{
		{`"C:\Program Files\containerd\containerd.exe" --config="C:\x y"`, files[0], ` --config="C:\x y"`},
		{`C:\Program Files\containerd\containerd.exe --run-service`, files[0], " --run-service"},
		{`C:\Program Files\containerd\containerd --run-service`, files[0], " --run-service"},
		{`C:\Program Files\containerd\containerd.exe`, files[0], ""},
		{`  C:\bin\containerd.exe	-c x`, files[1], "\t-c x"},
		{`C:\bin\containerd -c x`, files[2], " -c x"},
		{`C:\gone\a.exe -c x`, `C:\gone\a.exe`, " -c x"},
		{`C:\gone\a.exe`, `C:\gone\a.exe`, ""},
		{`"C:\no end`, `C:\no end`, ""},
		{``, "", ""},
	} {
		if exe, rest := cutProgram(c.line, isFile); exe != c.exe || rest != c.rest {
			t.Errorf("%s: %q and %q, want %q and %q", c.line, exe, rest, c.exe, c.rest)
		}
	}
}

// FuzzService: whatever the command line of a service is, its program and its flags are parts of it.
func FuzzService(f *testing.F) {
	for _, seed := range []string{
		`"C:\Program Files\containerd\containerd.exe" --run-service --config "C:\c d.toml"`, `C:\Program Files\containerd\containerd --run-service -c=a=b`,
		`containerd.exe`, ``, `"`, ` "a"b" c`, `-- --config`, "C:\\ü\u00A0x.exe\t-c",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, line, file string) {
		exe, rest := cutProgram(line, func(path string) bool { return path == file })
		if !strings.Contains(line, strings.TrimSuffix(exe, ".exe")) || !strings.HasSuffix(line, rest) || len(exe)+len(rest) > len(line)+len(".exe") {
			t.Errorf("%q is %q and %q", line, exe, rest)
		}
		if value := (Service{exe, strings.Fields(rest)}).flag("config", "c"); !strings.Contains(rest, value) {
			t.Errorf("%q has the value %q", rest, value)
		}
	})
}
