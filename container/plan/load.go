package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/internal/textfile"
)

// maxConfig bounds config.json. Containerd's own are a few kilobytes.
const maxConfig = 8 << 20

// Load reads config.json of a bundle. What is wrong with it is [errdefs.ErrInvalidArgument], with the field or
// the offset, and what to do.
func Load(bundle string) (*specs.Spec, error) {
	data, err := read(filepath.Join(bundle, "config.json"))
	if err != nil {
		return nil, err
	}
	if data, err = textfile.Decode(data); err != nil {
		return nil, fmt.Errorf("config.json: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	s, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	return s, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the bundle's spec: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("read the bundle's spec: %w", err)
	}
	if len(data) > maxConfig {
		return nil, fmt.Errorf("config.json is larger than %d bytes: %w", maxConfig, errdefs.ErrInvalidArgument)
	}
	return data, nil
}

func decode(data []byte) (*specs.Spec, error) {
	var s specs.Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", jsonCause(err), errdefs.ErrInvalidArgument)
	}
	switch {
	case IsPlaceholder(&s):
	case s.Process == nil:
		return nil, fmt.Errorf("process is missing: say what to run in process.args: %w", errdefs.ErrInvalidArgument)
	case s.Process.CommandLine == "" && len(s.Process.Args) == 0:
		return nil, fmt.Errorf("process.args is empty: name the program and its arguments, or set process.commandLine: %w", errdefs.ErrInvalidArgument)
	}
	return &s, nil
}

// jsonCause says where the text went wrong, without repeating what it says there.
func jsonCause(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("malformed JSON at byte %d: %s", syntax.Offset, syntax.Error())
	case errors.As(err, &kind):
		value, _, _ := strings.Cut(kind.Value, " ") // a number brings its digits
		return fmt.Sprintf("%s at byte %d: a JSON %s cannot be a %s", kind.Field, kind.Offset, value, kind.Type)
	}
	return "malformed JSON"
}
