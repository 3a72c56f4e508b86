// Package podinfo lets other programs find which pod a container belongs to. The names of jobs do not have it.
//
//	shim ─ [Store.Publish] ─▶ Global\silo-pod/<namespace>/<id> ─ [Store.Read] ─▶ silo
//
// The information is in named shared memory. Only LocalSystem and the administrators have access, as to the container's job.
// The kernel removes it with its last handle, so nothing remains of a shim that has died.
package podinfo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pod is what Kubernetes' runtime interface tells of a container. A value has no control characters and at most 253 bytes.
type Pod struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"` // Kubernetes' namespace, not containerd's
	UID       string `json:"uid"`
	Container string `json:"container,omitempty"` // the name of the container in the pod; a sandbox has none
	Type      string `json:"type,omitempty"`      // container or sandbox
	Sandbox   string `json:"sandbox_id,omitempty"`
}

// Store has the pods of the containers of a machine. It is safe for concurrent use.
type Store interface {
	// Publish makes the pod of a container readable until the closer is closed or this process ends.
	Publish(key string, p Pod) (io.Closer, error)
	// Read returns the pod of a container, or an error if that is not published.
	Read(key string) (Pod, error)
}

// Key is the key of a job container. That of a Windows Server container is its id.
func Key(namespace, id string) string { return namespace + "/" + id }

// maxValue is the length of a value in bytes. Kubernetes' longest names have as many.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
const maxValue = 253

// Size is the size of the shared memory. Six values with every character escaped fit in.
const Size = 4096

// Encode returns the content of the shared memory: JSON with NUL bytes after it.
func Encode(p Pod) ([]byte, error) {
	p.clean()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return nil, err
	}
	if text.Len() > Size {
		return nil, fmt.Errorf("the pod of a container needs %d bytes, which is more than %d", text.Len(), Size)
	}
	return append(text.Bytes(), make([]byte, Size-text.Len())...), nil
}

// Decode reads the content of shared memory, which any administrator may have written. Fields of a later release are
// ignored, and those that an earlier one did not write are empty.
func Decode(memory []byte) (p Pod, err error) {
	text, _, _ := bytes.Cut(memory[:min(len(memory), Size)], []byte{0})
	if err := json.Unmarshal(text, &p); err != nil {
		return Pod{}, err
	}
	if p.clean(); p.Name == "" {
		return Pod{}, errors.New("it has no name of a pod")
	}
	return p, nil
}

func (p *Pod) clean() {
	for _, value := range []*string{&p.Name, &p.Namespace, &p.UID, &p.Container, &p.Type, &p.Sandbox} {
		*value = clean(*value)
	}
}

// clean replaces what a terminal may take for a command, and shortens a value to maxValue bytes.
func clean(value string) string {
	value = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, value)
	if len(value) <= maxValue {
		return value
	}
	const more = "…"
	end := maxValue - len(more)
	for !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end] + more
}
