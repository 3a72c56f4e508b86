package probe

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/Microsoft/go-winio"
)

// A file is written as containerd unpacks one from a layer: one stream has all parts of the file, and arrives in pieces of
// any size.
func TestBackupWrite_StreamInPieces_WritesFile(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 10_000)
	var stream bytes.Buffer
	w := winio.NewBackupStreamWriter(&stream)
	for _, part := range []struct {
		header  winio.BackupHeader
		content []byte
	}{
		{winio.BackupHeader{Id: winio.BackupAlternateData, Name: ":other:$DATA"}, []byte("elsewhere")},
		{winio.BackupHeader{Id: winio.BackupData}, want},
	} {
		part.header.Size = int64(len(part.content))
		if err := w.WriteHeader(&part.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(part.content); err != nil {
			t.Fatal(err)
		}
	}
	for _, piece := range []int{1, 7, 4096, stream.Len()} {
		path := filepath.Join(t.TempDir(), "file")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		b := winio.NewBackupFileWriter(f, false)
		for rest := stream.Bytes(); len(rest) > 0; {
			n := min(piece, len(rest))
			if _, err := b.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("in pieces of %d: %d of %d bytes, %v", piece, len(got), len(want), err)
		}
	}
}
