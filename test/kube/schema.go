package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// Schemas are the schemas of one release. They are not safe for concurrent use.
type Schemas struct {
	dir    string
	groups map[string]group
}

// group is the OpenAPI document of one group and version.
type group struct {
	compiler *jsonschema.Compiler
	kinds    map[string]string // the name of each kind's schema
}

// NewSchemas reads schemas from a directory of OpenAPI documents, each when it is needed.
func NewSchemas(dir string) *Schemas { return &Schemas{dir: dir, groups: map[string]group{}} }

// Validate validates an object. An apiVersion or a kind without a schema is an error.
func (s *Schemas) Validate(object map[string]any) error {
	version, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	g, err := s.group(version)
	if err != nil {
		return err
	}
	name, ok := g.kinds[kind]
	if !ok {
		return fmt.Errorf("%s has no kind %q", version, kind)
	}
	schema, err := g.compiler.Compile(location(version) + "#/components/schemas/" + name)
	if err != nil {
		return fmt.Errorf("compile the schema of %s %s: %w", version, kind, err)
	}
	return schema.Validate(object)
}

// location is the name under which the compiler has a document.
func location(version string) string { return "published:///" + version }

// group reads the document of an apiVersion.
func (s *Schemas) group(version string) (group, error) {
	if g, ok := s.groups[version]; ok {
		return g, nil
	}
	file := "api__" + version
	if name, v, ok := strings.Cut(version, "/"); ok {
		file = "apis__" + name + "__" + v
	}
	text, err := os.ReadFile(filepath.Join(s.dir, filepath.Base(file)+"_openapi.json"))
	if err != nil {
		return group{}, fmt.Errorf("apiVersion %q: %w", version, err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return group{}, fmt.Errorf("read the schemas of %s: %w", version, err)
	}
	components, _ := doc["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	g := group{compiler: jsonschema.NewCompiler(), kinds: map[string]string{}}
	for name, schema := range schemas {
		if kind := kindOf(schema, version); kind != "" {
			g.kinds[kind] = name
		}
		forbidUnknown(schema)
	}
	if err := g.compiler.AddResource(location(version), doc); err != nil {
		return group{}, fmt.Errorf("add the schemas of %s: %w", version, err)
	}
	s.groups[version] = g
	return g, nil
}

// kindOf returns the kind of an apiVersion that a schema describes, or "".
//
// https://kubernetes.io/docs/reference/using-api/api-concepts/#api-resources
func kindOf(schema any, version string) string {
	m, _ := schema.(map[string]any)
	list, _ := m["x-kubernetes-group-version-kind"].([]any)
	for _, v := range list {
		gvk, _ := v.(map[string]any)
		name, _ := gvk["version"].(string)
		if g, _ := gvk["group"].(string); g != "" {
			name = g + "/" + name
		}
		if kind, _ := gvk["kind"].(string); name == version {
			return kind
		}
	}
	return ""
}

// forbidUnknown forbids other fields than the named ones, in a schema and below it.
func forbidUnknown(schema any) {
	m, ok := schema.(map[string]any)
	if !ok {
		return
	}
	fields, named := m["properties"].(map[string]any)
	_, open := m["additionalProperties"]
	if keep, _ := m["x-kubernetes-preserve-unknown-fields"].(bool); named && !open && !keep {
		m["additionalProperties"] = false
	}
	for _, field := range fields {
		forbidUnknown(field)
	}
	for _, below := range []string{"items", "additionalProperties"} {
		forbidUnknown(m[below])
	}
}

// The release whose schemas are used, and its hash in the checksum database.
const (
	release = "k8s.io/kubernetes@v1.36.3"
	sum     = "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o="
)

// ErrMissing means that the schemas are neither in the module cache nor available from the module proxy.
var ErrMissing = errors.New("no schemas of " + release)

// Published returns the directory of the OpenAPI documents of Kubernetes, and downloads them if they are not in the
// module cache. The error wraps [ErrMissing] if that fails.
//
// https://github.com/kubernetes/kubernetes/tree/master/api/openapi-spec
func Published(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", release)
	cmd.Dir = os.TempDir() // outside any module: no module can require a release of Kubernetes
	// The hash is compared below, so the checksum database is not needed.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GONOSUMDB=k8s.io/kubernetes")
	text, err := cmd.Output()
	var module struct{ Dir, Sum, Error string }
	if err := errors.Join(err, json.Unmarshal(text, &module)); err != nil || module.Error != "" {
		return "", fmt.Errorf("%w: %w %s", ErrMissing, err, module.Error)
	}
	if module.Sum != sum {
		return "", fmt.Errorf("%s has the hash %s, not %s", release, module.Sum, sum)
	}
	return filepath.Join(module.Dir, "api", "openapi-spec", "v3"), nil
}

// Objects reads the objects of a YAML file. A repeated key is an error.
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
