package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/command"
)

// script is the install script. PSScriptAnalyzer reads it in a workflow; here it is read without PowerShell.
const script = "../../deploy/install.ps1"

// Windows PowerShell reads a file without a byte order mark as ANSI.
func TestInstallScript_Text_IsASCII(t *testing.T) {
	for i, r := range text(t, script) {
		if r > 0x7E || r < ' ' && r != '\n' {
			t.Errorf("%q at byte %d", r, i)
		}
	}
}

func TestInstallScript_Brackets_AreBalanced(t *testing.T) {
	closing := map[rune]rune{')': '(', ']': '[', '}': '{'}
	var open []rune
	for line, code := range strings.Split(withoutLiterals(text(t, script)), "\n") {
		for _, r := range code {
			switch r {
			case '(', '[', '{':
				open = append(open, r)
			case ')', ']', '}':
				if len(open) == 0 || open[len(open)-1] != closing[r] {
					t.Fatalf("line %d closes %q, and open are %q", line+1, r, open)
				}
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%q are not closed", open)
	}
}

// literals are the comments and strings of PowerShell; a string in double quotes may have expressions, which are not read.
var literals = regexp.MustCompile(`(?s)<#.*?#>|#[^\n]*|'(?:[^']|'')*'|"(?:[^"` + "`" + `]|""|` + "`" + `.)*"`)

// withoutLiterals keeps the lines of a script.
func withoutLiterals(text string) string {
	return literals.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
}

func TestInstallScript_FetchedFiles_AreThoseOfARelease(t *testing.T) {
	s := text(t, script)
	format := regexp.MustCompile(`'(siloshim_[^']*\.zip)' -f`).FindStringSubmatch(s)
	if format == nil {
		t.Fatal("the script has no name of an archive")
	}
	v, err := parseVersion(tag)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range architectures {
		b := build{source: &source{version: v}, arch: arch}
		if got := strings.NewReplacer("{0}", tag, "{1}", arch).Replace(format[1]); got != b.file("siloshim", ".zip") {
			t.Errorf("the script fetches %s, and the release has %s", got, b.file("siloshim", ".zip"))
		}
		if !strings.Contains(s, fmt.Sprintf("return '%s'", arch)) {
			t.Errorf("no processor of the script is %s", arch)
		}
	}
	for _, want := range []string{"/releases/download/$Version/$name", "/releases/download/$Version/" + sumsFile, projectURL} {
		if !strings.Contains(s, want) {
			t.Errorf("the script does not fetch %s", want)
		}
	}
}

// The order of the script's steps is a promise: nothing of an archive is used before its checksum is compared.
func TestInstallScript_Checksum_IsComparedBeforeTheArchiveIsUsed(t *testing.T) {
	s := withoutLiterals(text(t, script))
	main := s[strings.Index(s, "try {"):]
	var at []int
	for _, step := range []string{"Assert-Sum $Archive $Sha256", "Expand-Archive", "Copy-Item", "install @InstallArguments"} {
		if strings.Count(main, step) != 1 {
			t.Errorf("%q is %d times in the script, want once", step, strings.Count(main, step))
		}
		at = append(at, strings.Index(main, step))
	}
	if !slices.IsSorted(at) {
		t.Errorf("the steps are at %v", at)
	}
	for _, forbidden := range []string{"Invoke-Expression", "iex ", "-SkipCertificateCheck", "ExecutionPolicy"} {
		if strings.Contains(s, forbidden) {
			t.Errorf("the script has %s", forbidden)
		}
	}
}

func TestInstallScript_InstallArguments_AreFlagsOfSilo(t *testing.T) {
	var out strings.Builder
	app := command.System()
	app.Stdout, app.Stderr = &out, &out
	if code := app.Main(t.Context(), "silo", []string{"install", "--help"}); code != 0 {
		t.Fatalf("exit code %d: %s", code, &out)
	}
	flags := regexp.MustCompile(`--[a-z-]+`).FindAllString(text(t, script), -1)
	if len(flags) == 0 {
		t.Fatal("the script has no flag of silo install")
	}
	for _, flag := range flags {
		if !strings.Contains(out.String(), flag+" ") {
			t.Errorf("silo install has no %s:\n%s", flag, &out)
		}
	}
}
