package commandline_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/internal/commandline"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

func TestJoin_Args_SplitUnchanged(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{`C:\app.exe`}, `C:\app.exe`},
		{[]string{`C:\Program Files\app.exe`, "a"}, `"C:\Program Files\app.exe" a`},
		{[]string{"app", ""}, `app ""`},
		{[]string{"app", `a b`, "c\td"}, "app \"a b\" \"c\td\""},
		{[]string{"app", `say "hi"`}, `app "say \"hi\""`},
		{[]string{"app", `a"b`}, `app a\"b`},
		{[]string{"app", `C:\dir\`}, `app C:\dir\`},
		{[]string{"app", `C:\my dir\`}, `app "C:\my dir\\"`},
		{[]string{"app", `\\"`}, `app \\\\\"`},
		{[]string{"app", "a&b|c%d^e", "<>()!"}, "app a&b|c%d^e <>()!"},
		{[]string{"app", "привет", "日本 語", "😀"}, `app привет "日本 語" 😀`},
		{[]string{`C:\dir with\`, "x"}, `"C:\dir with\" x`},
	}
	for _, tt := range tests {
		got := commandline.Join(tt.args)
		if got != tt.want {
			t.Errorf("Join(%q) = %s, want %s", tt.args, got, tt.want)
		}
		if diff := cmp.Diff(tt.args, jobtest.SplitCommandLine(got)); diff != "" {
			t.Errorf("%s is read as (-want +got):\n%s", got, diff)
		}
	}
}

// The words consist of the special characters.
func TestJoin_RandomArgs_SplitUnchanged(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("\\\\\\\"\" \ta&|%^ü")
	for range 200_000 {
		args := []string{"app"}
		for range rng.IntN(4) {
			word := make([]rune, rng.IntN(8))
			for i := range word {
				word[i] = alphabet[rng.IntN(len(alphabet))]
			}
			args = append(args, string(word))
		}
		if got := jobtest.SplitCommandLine(commandline.Join(args)); !slices.Equal(args, got) {
			t.Fatalf("%q became %q by way of %s", args, got, commandline.Join(args))
		}
	}
}
