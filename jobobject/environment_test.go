package jobobject

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func TestCleanEnvironment_Entries_AreSortedAndUnique(t *testing.T) {
	tests := []struct {
		name    string
		env     []string
		want    []string
		wantErr string
	}{
		{"sorted without regard to case", []string{"b=1", "C=2", "A=3"}, []string{"A=3", "b=1", "C=2"}, ""},
		{"last wins", []string{"Path=1", "x=", "PATH=2"}, []string{"PATH=2", "x="}, ""},
		{"shorter key first", []string{"AB=1", "A=2"}, []string{"A=2", "AB=1"}, ""},
		{"drive directory", []string{"a=1", `=C:=C:\x`}, []string{`=C:=C:\x`, "a=1"}, ""},
		{"value with equals signs", []string{"a=b=c"}, []string{"a=b=c"}, ""},
		{"empty", nil, []string{}, ""},
		{"NUL", []string{"ok=1", "a=b\x00secret"}, nil, "environment entry 1 has a NUL character"},
		{"no equals sign", []string{"secret"}, nil, "environment entry 0 has no equals sign"},
		{"no name", []string{"=secret"}, nil, "environment entry 0 has no name"},
		{"nothing", []string{""}, nil, "environment entry 0 has no name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := cleanEnvironment(tt.env)
			if tt.wantErr != "" {
				if err == nil || err.Error() != tt.wantErr {
					t.Fatalf("err = %v, want %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvironmentBlock_Entries_EndInNUL(t *testing.T) {
	for _, tt := range []struct {
		env  []string
		want string
	}{
		{nil, "\x00\x00"},
		{[]string{"a=1"}, "a=1\x00\x00"},
		{[]string{"a=ä", "b=😀"}, "a=ä\x00b=😀\x00\x00"},
	} {
		if got := string(utf16.Decode(environmentBlock(tt.env))); got != tt.want {
			t.Errorf("environmentBlock(%q) = %q, want %q", tt.env, got, tt.want)
		}
	}
}

func FuzzCleanEnvironment(f *testing.F) {
	f.Add("A=1\nb=2\na=3")
	f.Add("=C:=C:\\\n=x")
	f.Fuzz(func(t *testing.T, joined string) {
		env := strings.Split(joined, "\n")
		clean, err := cleanEnvironment(env)
		if err != nil {
			return
		}
		again, err := cleanEnvironment(clean)
		if err != nil {
			t.Fatalf("clean output refused: %v", err)
		}
		if diff := cmp.Diff(clean, again); diff != "" {
			t.Errorf("not stable: %s", diff)
		}
		nuls := 0
		for _, u := range environmentBlock(clean) {
			if u == 0 {
				nuls++
			}
		}
		if want := max(len(clean), 1) + 1; nuls != want {
			t.Errorf("block has %d NULs, want %d", nuls, want)
		}
	})
}
