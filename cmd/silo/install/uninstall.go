package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/siloshim/siloshim/internal/textfile"
)

// Uninstall plans the removal of all that [Node.Install] has added. Without Choices.Force it returns [ErrRunning] while
// shims run: their containers could not be cleaned up.
func (n *Node) Uninstall(want Choices) (*Plan, error) {
	pids, err := n.Machine.Processes(ShimName)
	if err != nil {
		return nil, err
	}
	if len(pids) > 0 && !want.Force {
		return nil, fmt.Errorf("uninstall the shim: %w in processes %v; delete their pods first, or use --force", ErrRunning, pids)
	}
	p := &Plan{}
	if err := n.planRestore(p); err != nil {
		return nil, err
	}
	if err := p.remove(n.dropIn(), "the runtime handlers"); err != nil {
		return nil, err
	}
	if err := p.remove(n.shim(), "the shim"); err != nil {
		return nil, err
	}
	if err := n.finish(p, want, time.Time{}); err != nil {
		return nil, err
	}
	tidy := p.tidy
	p.tidy = func() {
		tidy()
		_ = os.Remove(filepath.Dir(n.dropIn())) // it stays unless it is empty
	}
	return p, nil
}

// planRestore plans the removal from config.toml of what Install has added.
func (n *Node) planRestore(p *Plan) error {
	if _, err := os.Stat(n.backup()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	text, err := textfile.Read(n.Config)
	if err != nil {
		return fmt.Errorf("read containerd's configuration: %w", err)
	}
	out, err := removeImport(removeBlock(string(text)), n.pattern())
	if err != nil {
		p.Changes = append(p.Changes, Change{Action: "keep", Path: n.Config, Why: "the import of " + n.pattern() + " cannot be removed safely; remove it by hand"})
		return nil //nolint:nilerr // an import that matches no file is harmless
	}
	if out != string(text) {
		p.add("edit", n.Config, "without what silo install added", func() (func() error, error) { return put(n.Config, []byte(out)) })
	}
	return p.remove(n.backup(), "the copy of config.toml before silo install")
}
