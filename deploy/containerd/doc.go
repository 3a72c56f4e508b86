// Package containerd has the runtime handlers of the shim as containerd's configuration files word them.
package containerd

import _ "embed" // for the files

// Current is a drop-in for containerd 2, of configuration version 3: a file of its own in a directory that config.toml
// imports.
//
//go:embed silo.toml
var Current string

// Legacy is for a config.toml of version 2, which containerd 1.7 has. It belongs into that file itself, not into one that
// it imports; silo-1.7.toml says why.
//
//go:embed silo-1.7.toml
var Legacy string
