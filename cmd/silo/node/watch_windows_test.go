package node

import "testing"

// The kernel reports a record that is written, replaced and removed. It does not report output beside the record.
func TestWatch_Kernel_ReportsEachChange(t *testing.T) {
	records := Records{Dir: t.TempDir()}
	w := Node{Records: records, Names: func() ([]string, error) { return nil, nil }}.Watch()
	defer w.Close()
	for _, change := range []struct {
		what string
		make func() error
		want int
	}{
		{"written", func() error { return records.Write(&Record{ID: "web", Kind: Run}) }, 1},
		{"replaced", func() error { return records.Write(&Record{ID: "web", Kind: Run, Program: "app.exe"}) }, 1},
		{"removed", func() error { return records.Remove("web") }, 0},
	} {
		for {
			if _, err := w.All(); err != nil {
				t.Fatal(err)
			}
			if w.current { // all changes are known
				break
			}
		}
		changed := w.Changed()
		if changed == nil {
			t.Fatal("the kernel does not watch the directory")
		}
		if err := change.make(); err != nil {
			t.Fatal(err)
		}
		<-changed // the deadline of the test bounds it
		list, err := w.All()
		for err == nil && len(list) != change.want { // the report may precede the last step
			<-w.Changed()
			list, err = w.All()
		}
		if err != nil {
			t.Fatalf("%s: %v", change.what, err)
		}
	}
}
