package resource

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParse: a record of either format is refused, or lists resources that are the same when they are written and read
// again. The old format names only kinds that are released.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"version":2,"resources":[{"kind":"account","name":"silo-1"},{"kind":"mount","path":"C:\\hpc\\a"},{"kind":"network-endpoint","name":"e","in":"n"}]}`,
		`{"layers":{"Kind":"windows-layer","Scratch":"C:\\s"},"network_namespace":"n","endpoints":["e"],"credentials":true}`,
		`{"layers":{"Kind":"CimFS","Scratch":"C:\\s","Volume":"v"},"job":true,"mount":"C:\\m","kept":["C:\\d"],"account":"a"}`,
		`{"version":3}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	kinds := map[Kind]bool{}
	for _, k := range []Kind{System, Credentials, Endpoint, Namespace, Mount, Directory, Union, PreparedLayer, ActiveLayer, Images, Account} {
		kinds[k] = true
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parse(text, "c")
		if err != nil {
			return
		}
		var is struct{ Version int }
		if err := json.Unmarshal(text, &is); err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if is.Version == 0 && !kinds[r.Kind] {
				t.Errorf("%s lists %+v", text, r)
			}
		}
		again, err := json.Marshal(format{version, list})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parse(again, "c"); err != nil || !cmp.Equal(list, got, cmpopts.EquateEmpty()) {
			t.Errorf("%+v became %+v, %v", list, got, err)
		}
	})
}
