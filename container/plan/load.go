package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/internal/readlimit"
	"github.com/siloshim/siloshim/internal/textfile"
)

// maxConfig is the maximum size of config.json. Those of containerd have a few kilobytes.
const maxConfig = 8 << 20

// Load reads config.json of a bundle. An invalid file is [errdefs.ErrInvalidArgument]; the error names the field or the
// offset.
func Load(bundle string) (*specs.Spec, error) {
	data, err := read(bundle)
	if err != nil {
		return nil, err
	}
	s, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	return s, nil
}

// read reads config.json as UTF-8 without a byte order mark.
func read(bundle string) ([]byte, error) {
	data, err := readlimit.File(filepath.Join(bundle, "config.json"), maxConfig)
	if err != nil {
		return nil, fmt.Errorf("read the specification: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	if data, err = textfile.Decode(data); err != nil {
		return nil, fmt.Errorf("config.json: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	return data, nil
}

func decode(data []byte) (*specs.Spec, error) {
	var s specs.Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", jsonCause(err), errdefs.ErrInvalidArgument)
	}
	switch {
	case isPlaceholder(&s):
	case s.Process == nil:
		return nil, errNoProcess
	case s.Process.CommandLine == "" && len(s.Process.Args) == 0:
		return nil, errNoArgs
	}
	return &s, nil
}

// jsonCause describes an error of package json without the text, which may be a secret.
func jsonCause(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("malformed JSON at byte %d: %s", syntax.Offset, syntax.Error())
	case errors.As(err, &kind):
		value, _, _ := strings.Cut(kind.Value, " ") // a number is followed by its digits
		return fmt.Sprintf("%s at byte %d: a JSON %s cannot be a %s", kind.Field, kind.Offset, value, kind.Type)
	}
	return "malformed JSON"
}
