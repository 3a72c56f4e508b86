package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The names of the installed files.
const (
	ShimName    = "containerd-shim-silo-v1.exe"
	dropInDir   = "conf.d"
	dropInName  = "silo.toml"
	daemonName  = "containerd.exe"
	configName  = "config.toml"
	backupAfter = ".before-silo" // behind the name of config.toml
)

// Options name the containerd to install for.
type Options struct {
	Service string // the service of containerd
	Prefix  string // the directory of containerd.exe; that of the service, or the usual one, if ""
	Config  string // config.toml; that of the service, or else the one in Prefix, if ""
}

// Node is a machine with containerd. Its methods change nothing: they make plans.
type Node struct {
	Machine Machine
	Prefix  string
	Config  string
	Service string
	Log     string // the log of its service; "" without one
}

// Find finds containerd. It returns [fs.ErrNotExist] where there is none.
func Find(m Machine, o Options) (*Node, error) {
	n := &Node{Machine: m, Prefix: o.Prefix, Config: o.Config, Service: o.Service}
	s, err := m.Service(o.Service)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	n.Log = s.flag("log-file")
	if n.Prefix == "" && s.Exe != "" {
		n.Prefix = filepath.Dir(s.Exe)
	}
	if n.Prefix == "" {
		n.Prefix = filepath.Join(os.Getenv("ProgramFiles"), "containerd")
	}
	if n.Config == "" && s.Exe != "" && strings.EqualFold(filepath.Dir(s.Exe), filepath.Clean(n.Prefix)) {
		n.Config = s.flag("config", "c")
		if n.Config == "" && strings.EqualFold(filepath.Base(s.Exe), daemonName) {
			n.Config = filepath.Join(os.Getenv("ProgramFiles"), "containerd", configName) // containerd's own default, wherever it is
		}
	}
	if n.Config == "" {
		n.Config = filepath.Join(n.Prefix, configName)
	}
	if n.Prefix, err = filepath.Abs(n.Prefix); err != nil {
		return nil, err
	}
	if n.Config, err = filepath.Abs(n.Config); err != nil {
		return nil, err
	}
	if _, err := os.Stat(n.daemon()); err != nil {
		return nil, fmt.Errorf("find containerd: %w; set its directory with --prefix", err)
	}
	return n, nil
}

func (n *Node) daemon() string { return filepath.Join(n.Prefix, daemonName) }
func (n *Node) shim() string   { return filepath.Join(n.Prefix, ShimName) }
func (n *Node) backup() string { return n.Config + backupAfter }

// dropIn is the file with the handlers, for a config.toml of version 3 or later.
func (n *Node) dropIn() string { return filepath.Join(filepath.Dir(n.Config), dropInDir, dropInName) }

// pattern is the one that config.toml imports.
func (n *Node) pattern() string { return filepath.Join(filepath.Dir(n.dropIn()), "*.toml") }

// Left returns the files that could not be deleted because they are in use. The next plan that is applied deletes them.
func (n *Node) Left() []string {
	var left []string
	for _, path := range n.files() {
		left = append(left, movedAside(path)...)
	}
	return left
}

// Settings returns containerd's configuration files that exist.
func (n *Node) Settings() []string {
	found, _ := filepath.Glob(n.pattern()) // only a bad pattern is an error
	return append([]string{n.Config}, found...)
}

// files returns all files that an installation writes.
func (n *Node) files() []string { return []string{n.shim(), n.dropIn(), n.Config, n.backup()} }
