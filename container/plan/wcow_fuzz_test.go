package plan

import (
	"encoding/json"
	"testing"
)

// FuzzServer plans whatever config.json holds: a document that the service can read, or an error, never a panic.
func FuzzServer(f *testing.F) {
	f.Add([]byte(`{"process":{"args":["a.exe"],"env":["A=1"]},"windows":{"layerFolders":["C:\\1","C:\\s"],"network":{}}}`))
	f.Add([]byte(`{"process":{"commandLine":"a"},"hostname":"h","mounts":[{"source":"\\\\.\\pipe\\a","destination":"\\\\.\\pipe\\b"}],"windows":{"layerFolders":["C:\\1","C:\\s"],"credentialSpec":{"a":1},"devices":[{"id":"x","idType":"vpci-location-path"}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decode(data)
		if err != nil {
			return
		}
		v, err := isolated().WCOW("c", s, nil)
		if err != nil {
			return
		}
		if _, err := json.Marshal(v.Document); err != nil {
			t.Errorf("the document cannot be written: %v", err)
		}
		if v.Process.CommandLine == "" || v.Layers.Scratch == "" || v.Document.Container.Storage == nil {
			t.Errorf("an incomplete plan: %+v", v)
		}
	})
}
