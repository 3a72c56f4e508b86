package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// readSpec reads an OCI specification and nothing behind it.
func readSpec(text []byte) (*specs.Spec, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	s := new(specs.Spec)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("read the specification: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the specification: there is something behind its end")
	}
	return s, nil
}
