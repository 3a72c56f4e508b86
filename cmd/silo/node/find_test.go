package node_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
)

var (
	longA = "ab" + strings.Repeat("0", 62)
	longB = "abc" + strings.Repeat("0", 61)
)

func TestNode_Find_EachReference(t *testing.T) {
	n := machine(t, `\BaseNamedObjects\silo/a/web`, `\BaseNamedObjects\silo/b/web`, `\BaseNamedObjects\silo/b/DB`,
		`\BaseNamedObjects\silo/k8s.io/`+longA, `\BaseNamedObjects\silo/k8s.io/`+longB, `\BaseNamedObjects\silo/silo/mine`, `\Container_Box`, `\Container_q1`)
	for _, r := range []*node.Record{
		{ID: "Mine", Kind: node.Run}, {ID: "over", Kind: node.Run, Exit: &node.Exit{Code: 1}},
		{ID: "WEB", Kind: node.Run, Exit: &node.Exit{Code: 1}}, {ID: "Q1", Kind: node.Server, System: "q1"},
	} {
		if err := n.Records.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		ref              string
		living, any, own any // a name, or an error
	}{
		{"b/DB", "b/DB", "b/DB", node.ErrNotFound},
		{"DB", "b/DB", "b/DB", node.ErrNotFound},
		{"db", node.ErrNotFound, node.ErrNotFound, node.ErrNotFound}, // containerd's ids differ by case
		{"a/web", "a/web", "a/web", node.ErrNotFound},
		{"web", node.ErrAmbiguous, node.ErrAmbiguous, "silo/WEB"},
		{"Web", node.ErrNotRunning, "silo/WEB", "silo/WEB"},
		{"mine", "silo/Mine", "silo/Mine", "silo/Mine"},
		{"SILO/MINE", "silo/Mine", "silo/Mine", "silo/Mine"},
		{"over", node.ErrNotRunning, "silo/over", "silo/over"},
		{"silo/OVER", node.ErrNotRunning, "silo/over", "silo/over"},
		{"hcs/Box", "hcs/Box", "hcs/Box", node.ErrNotFound},
		{"q1", "silo/Q1", "silo/Q1", "silo/Q1"}, // one container, although it has a job and a record
		{"hcs/q1", node.ErrNotFound, node.ErrNotFound, node.ErrNotFound},
		{longA, "k8s.io/" + longA, "k8s.io/" + longA, node.ErrNotFound},
		{longA[:12], "k8s.io/" + longA, "k8s.io/" + longA, node.ErrNotFound},
		{"k8s.io/abc", "k8s.io/" + longB, "k8s.io/" + longB, node.ErrNotFound},
		{"ab", node.ErrAmbiguous, node.ErrAmbiguous, node.ErrNotFound},
		{"default/abc", node.ErrNotFound, node.ErrNotFound, node.ErrNotFound},
		{"k8s.io/", node.ErrNotFound, node.ErrNotFound, node.ErrNotFound},
		{"", node.ErrNotFound, node.ErrNotFound, node.ErrNotFound},
		{"we", node.ErrNotFound, node.ErrNotFound, node.ErrNotFound}, // a beginning of a name is none
		{"..", node.ErrNotFound, node.ErrNotFound, node.ErrNotFound},
	} {
		for _, search := range []struct {
			name string
			find func(string) (node.Container, error)
			want any
		}{{"Find", n.Find, tt.living}, {"FindAny", n.FindAny, tt.any}, {"FindOwn", n.FindOwn, tt.own}} {
			c, err := search.find(tt.ref)
			if want, fails := search.want.(error); fails {
				if !errors.Is(err, want) {
					t.Errorf("%s(%q) = %v %v, want %v", search.name, tt.ref, c.Name(), err, want)
				}
				continue
			}
			if err != nil || c.Name() != search.want {
				t.Errorf("%s(%q) = %v %v, want %v", search.name, tt.ref, c.Name(), err, search.want)
			}
		}
	}
}
