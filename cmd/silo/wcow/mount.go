package wcow

import (
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// ParseMount parses a directory or pipe of the host in the container, in the syntax of docker run --mount:
// source=C:\data,target=C:\app,readonly.
func ParseMount(text string) (specs.Mount, error) {
	var m specs.Mount
	wrong := func(format string, args ...any) (specs.Mount, error) {
		return m, fmt.Errorf("--mount %q: "+format, append([]any{text}, args...)...)
	}
	for word := range strings.SplitSeq(text, ",") {
		key, value, set := strings.Cut(word, "=")
		switch key {
		case "source", "src":
			m.Source = value
		case "target", "dst", "destination":
			m.Destination = value
		case "readonly", "ro":
			if set {
				return wrong("%s takes no value", key)
			}
			if !slices.Contains(m.Options, "ro") {
				m.Options = append(m.Options, "ro")
			}
		case "type":
			if value != "bind" && value != "npipe" {
				return wrong("type %q is not bind or npipe", value)
			}
		default:
			return wrong("%q is not source=, target=, type= or readonly", key)
		}
	}
	if m.Source == "" || m.Destination == "" {
		return wrong("name source= and target=")
	}
	return m, nil
}
