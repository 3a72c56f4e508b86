package command

import "testing"

func TestCut_Columns_WideCharactersTakeTwo(t *testing.T) {
	for _, test := range []struct {
		line    string
		columns int
		want    string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"ab世界", 4, "ab世"}, {"ab世界", 5, "ab世"}, {"äöü", 2, "äö"}, {"a", 0, ""}} {
		if got := cut(test.line, test.columns); got != test.want {
			t.Errorf("cut(%q, %d) = %q, want %q", test.line, test.columns, got, test.want)
		}
	}
}
