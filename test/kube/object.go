package kube

import (
	"bytes"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// Objects reads the objects of a YAML file. A key that is there twice is an error.
func Objects(path string) ([]map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []map[string]any
	for i, part := range bytes.Split(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n---\n")) {
		var object map[string]any
		if err := yaml.UnmarshalStrict(part, &object); err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", path, i+1, err)
		}
		if len(object) > 0 {
			list = append(list, object)
		}
	}
	return list, nil
}
