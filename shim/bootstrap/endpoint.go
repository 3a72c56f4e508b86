package bootstrap

import "google.golang.org/protobuf/encoding/protowire"

// runcType is the type of runc's options. Containerd's client makes such a message for a container of a sandbox whose
// runtime has no options of its own, whichever runtime that is, and notes in it where the sandbox's shim listens.
const runcType = "containerd.runc.v1.Options"

// The fields of containerd.runc.v1.Options that tell where a shim listens.
const (
	taskAddress protowire.Number = 12 // task_api_address
	taskVersion protowire.Number = 13 // task_api_version
)

// isEndpoint reports whether runc's options tell where a shim listens and nothing else.
func isEndpoint(options []byte) bool {
	named := false
	for len(options) > 0 {
		field, _, size := protowire.ConsumeField(options)
		if size < 0 || field != taskAddress && field != taskVersion {
			return false
		}
		named = named || field == taskAddress
		options = options[size:]
	}
	return named
}
