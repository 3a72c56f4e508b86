package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/deploy/containerd"
	"github.com/siloshim/siloshim/internal/readlimit"
	"github.com/siloshim/siloshim/internal/textfile"
)

// Choices are the options of a plan.
type Choices struct {
	Edit    bool // config.toml may be edited
	Restart bool // the service of containerd is restarted if its handlers changed
	Force   bool // uninstall although shims run
}

// The handlers and their runtime.
const (
	handlerName = "silo"
	runtimeType = "io.containerd.silo.v1"
)

var (
	// ErrEdit is returned where config.toml has to be edited and Choices.Edit is not set.
	ErrEdit = errors.New("config.toml has to be edited")
	// ErrRunning is returned where processes of the shim run, so that its executable cannot be removed.
	ErrRunning = errors.New("the shim is running")
)

// maxProgram is the maximum size of the executable of a shim, in bytes. Ours has less than 30 MB.
const maxProgram = 256 << 20

// Install plans the installation of the shim, of which exe is the executable, and its handlers. It returns [ErrEdit] with
// the text to add where config.toml has to be edited and Choices.Edit is not set.
func (n *Node) Install(exe string, want Choices) (*Plan, error) {
	p := &Plan{check: n.check}
	program, err := readlimit.File(exe, maxProgram)
	if err != nil {
		return nil, fmt.Errorf("read the shim: %w", err)
	}
	if err := p.put(n.shim(), "the shim, from "+exe+"; "+DescribeSignature(program), program); err != nil {
		return nil, err
	}
	handlers, err := n.planHandlers(p, want.Edit)
	if err != nil {
		return nil, err
	}
	return p, n.finish(p, want, written(handlers))
}

// planHandlers plans the handlers, in the version of config.toml, and returns the file that will have them.
func (n *Node) planHandlers(p *Plan, mayEdit bool) (string, error) {
	raw, err := readlimit.File(n.Config, readlimit.Text)
	if err != nil {
		return "", fmt.Errorf("read containerd's configuration: %w; make one with containerd config default", err)
	}
	text, err := textfile.Decode(raw)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", n.Config, err)
	}
	doc, err := parse(string(text))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", n.Config, err)
	}
	handlers, plan := n.dropIn(), n.editImport
	switch version, err := versionOf(doc); {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", n.Config, err)
	case version == 2:
		handlers, plan = n.Config, n.editBlock
	default:
		if err := p.put(handlers, "the runtime handlers", []byte(containerd.Current)); err != nil {
			return "", err
		}
	}
	e, err := plan(string(text), doc)
	if err != nil {
		return "", err
	}
	if e.text == "" && len(raw) != len(text) {
		e = edit{text: string(text), why: "UTF-8 without a byte order mark, as containerd reads it", byHand: "save the file as UTF-8 without a byte order mark"}
	}
	return handlers, n.planEdit(p, raw, e, mayEdit)
}

// written returns when a file was written; the zero time if it does not exist.
func written(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// versionOf returns the version of a configuration. From 3 on the handlers are in a file of version 3 that it imports:
// each later containerd migrates that, which check verifies.
func versionOf(doc map[string]any) (int64, error) {
	const remedy = "replace it by the output of containerd config migrate"
	v, there := doc["version"]
	if !there {
		return 0, errors.New("no version, which containerd reads as version 1; " + remedy)
	}
	version, ok := v.(int64)
	if !ok || version < 2 {
		return 0, fmt.Errorf("version %#v, want 2 or later; %s", v, remedy)
	}
	return version, nil
}

// edit is a change of config.toml.
type edit struct {
	text   string // the new text; "" for no change
	why    string
	byHand string // what to do without silo
}

// editImport makes a configuration of version 3 or later import the drop-in.
func (n *Node) editImport(text string, doc map[string]any) (edit, error) {
	if isImported(doc, filepath.Dir(n.Config), n.dropIn()) {
		return edit{}, nil
	}
	e := edit{why: "the import of " + n.pattern(), byHand: "add imports = ['" + n.pattern() + "'] above the first table"}
	var err error
	e.text, err = addImport(text, n.pattern())
	return e, e.explain(n.Config, err)
}

// editBlock puts the handler into a configuration of version 2 itself. It must not import one: containerd 1.7 gives an
// imported file the whole section of CRI, and 2.0 to 2.2 migrate nothing of a version 2 that imports a version 3.
func (n *Node) editBlock(text string, _ map[string]any) (edit, error) {
	bare := removeBlock(text)
	h, err := parseHandlers(bare)
	if err == nil && h.Types[handlerName] == runtimeType {
		return edit{}, nil // it was added without silo
	}
	e := edit{why: "the runtime handler", byHand: "add the tables of deploy/containerd/silo-1.7.toml at its end"}
	if e.text, err = addBlock(bare, containerd.Legacy); e.text == text {
		return edit{}, err
	}
	return e, e.explain(n.Config, err)
}

// explain adds to an error what to do without silo.
func (e edit) explain(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("edit %s: %w; %s", path, err, e.byHand)
}

// planEdit plans a change of config.toml, or returns [ErrEdit].
func (n *Node) planEdit(p *Plan, before []byte, e edit, may bool) error {
	switch {
	case e.text == "":
		return nil
	case !may:
		return fmt.Errorf("%w; in %s %s, or use --edit", ErrEdit, n.Config, e.byHand)
	}
	if err := p.put(n.backup(), "config.toml before the edit", before); err != nil {
		return err
	}
	p.add("edit", n.Config, e.why, func() (func() error, error) { return put(n.Config, []byte(e.text)) })
	return nil
}

// finish plans the restart, and the removal of what was moved aside. A new shim needs no restart. A service that has run
// since before its handlers were written does: the silo that wrote them may have been terminated before the restart.
func (n *Node) finish(p *Plan, want Choices, written time.Time) error {
	p.tidy = func() {
		for _, path := range n.files() {
			removeAside(path)
		}
	}
	p.Unread = slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Path != n.shim() })
	if !want.Restart {
		return nil
	}
	since, err := n.Machine.Started(n.Service)
	if err != nil {
		return err
	}
	if p.Unread || !since.IsZero() && written.After(since) {
		p.Unread = false
		why := "containerd reads its handlers when it starts"
		dependents, err := n.Machine.Dependents(n.Service)
		if err != nil {
			return err
		}
		if len(dependents) > 0 {
			why += "; dependent services restart, too: " + strings.Join(dependents, ", ")
		}
		p.Changes = append(p.Changes, Change{Action: "restart", Path: n.Service, Why: why})
		p.restart = &restart{manager: n.Machine, service: n.Service}
	}
	return nil
}

// check makes containerd read its configuration, and verifies that it has the handler and all that it had before.
func (n *Node) check(ctx context.Context) error {
	text, err := n.Machine.Output(ctx, n.daemon(), "--config", n.Config, "config", "dump")
	if err != nil {
		return fmt.Errorf("run containerd config dump: %w", err)
	}
	h, err := parseHandlers(text)
	if err != nil {
		return fmt.Errorf("read the output of containerd config dump: %w", err)
	}
	if h.Types[handlerName] != runtimeType {
		return fmt.Errorf("check containerd's configuration: %s has no handler %s; name the file that the service uses with --config", n.Config, handlerName)
	}
	// Containerd 1.7 has its own handlers only where config.toml names none, and serves no CRI without the default.
	if _, has := h.Types[h.Default]; h.Default != "" && !has {
		return fmt.Errorf("check containerd's configuration: the default handler %s would be missing; add it to %s first, as containerd config default prints it",
			h.Default, n.Config)
	}
	return nil
}
