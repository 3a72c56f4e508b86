// Package containerd has the runtime handlers of the shim, in the format of containerd's configuration files.
package containerd

import _ "embed" // for the files

// Current is a drop-in for containerd 2, in configuration version 3: a file in a directory that config.toml imports.
//
//go:embed silo.toml
var Current string

// Legacy is for a config.toml of version 2, which containerd 1.7 has. It belongs into that file, not into one that it
// imports; silo-1.7.toml has the reason.
//
//go:embed silo-1.7.toml
var Legacy string
