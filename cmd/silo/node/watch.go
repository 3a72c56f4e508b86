package node

import "slices"

// Watch lists the containers of a machine again and again. It reads their records again only after the kernel has reported
// a change in the directory of the records, or where it cannot report changes. Close it after use.
type Watch struct {
	node    Node
	notify  func(dir string) (notifier, error)
	changes notifier // nil while the directory is not watched
	records []Container
	current bool // the records are those of the directory, unless changes has one
}

// notifier reports changes below a directory: files and directories that appear, are renamed or disappear. The content of
// files does not matter: a record is replaced by another file.
type notifier interface {
	// changed is closed after a change.
	changed() <-chan struct{}
	// again reports the changes since the last one was reported. An error ends the reports.
	again() error
	close()
}

// Watch makes a watch of the machine.
func (n Node) Watch() *Watch { return &Watch{node: n, notify: notifyChanges} }

// Changed returns a channel that is closed when the records have changed since [Watch.All]. nil means that the kernel does
// not report that.
func (w *Watch) Changed() <-chan struct{} {
	if w.changes == nil {
		return nil
	}
	return w.changes.changed()
}

// All is [Node.All].
func (w *Watch) All() ([]Container, error) {
	w.listen()
	if w.current {
		return w.known()
	}
	records, err := w.node.Records.All()
	if err != nil {
		return nil, err
	}
	w.records = slices.Clone(records)
	// A record that could not be read may be readable the next time, without a change of its directory.
	unread := slices.ContainsFunc(records, func(c Container) bool { return c.Error != "" })
	w.current = w.changes != nil && !unread
	return w.node.withJobs(records)
}

// known lists the containers with the records that were read before. A supervisor that is killed changes no record; its job
// is closed with it.
func (w *Watch) known() ([]Container, error) {
	list, err := w.node.withJobs(slices.Clone(w.records))
	for i := range list {
		if c := &list[i]; c.Record != nil && c.Record.Exit == nil && !c.job {
			c.describe(c.Record, w.node.Records)
		}
	}
	return list, err
}

// listen takes over the changes since the last call. It comes before the records are read: a later change is reported.
func (w *Watch) listen() {
	if w.changes == nil {
		w.current = false
		if changes, err := w.notify(w.node.Records.Dir); err == nil {
			w.changes = changes
		}
		return
	}
	select {
	case <-w.changes.changed():
		w.current = false
		if w.changes.again() != nil { // the directory is gone
			w.Close()
		}
	default:
	}
}

// Close ends the watch.
func (w *Watch) Close() {
	if w.changes != nil {
		w.changes.close()
		w.changes = nil
	}
}
