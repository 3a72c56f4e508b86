package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/shim/spec"
)

// ledger is what a container has of the machine beside its compute system or its job, which end with the shim by themselves. It is
// in the bundle from before the first of it is made until the last is given back, for `delete` to find when the shim
// has died. It holds no secret.
type ledger struct {
	Layers      *spec.Layers `json:"layers,omitempty"`
	Namespace   string       `json:"network_namespace,omitempty"`
	Endpoints   []string     `json:"endpoints,omitempty"` // in that namespace
	Credentials bool         `json:"credentials,omitempty"`

	// What only job containers have.
	Job     bool     `json:"job,omitempty"`
	Mount   string   `json:"mount,omitempty"` // where the layers' volume is
	Kept    []string `json:"kept,omitempty"`  // directories, those above others first
	Account string   `json:"account,omitempty"`
}

// ledgerPath is where the ledger of a bundle is.
func ledgerPath(bundle string) string { return filepath.Join(bundle, "silo-resources.json") }

// draftPath is where it is written first. Whoever dies there has made nothing yet.
func draftPath(bundle string) string { return ledgerPath(bundle) + ".new" }

// write replaces the ledger of a bundle as one step.
func (l *ledger) write(bundle string) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	draft := draftPath(bundle)
	if err := fault.Call("write ledger", func() error { return os.WriteFile(draft, text, 0o600) }); err != nil {
		return fmt.Errorf("write the list of resources: %w", err)
	}
	if err := fault.Call("rename ledger", func() error { return os.Rename(draft, ledgerPath(bundle)) }); err != nil {
		return fmt.Errorf("write the list of resources: %w", errors.Join(err, os.Remove(draft)))
	}
	return nil
}

// readLedger returns nil if the bundle has none.
func readLedger(bundle string) (*ledger, error) {
	text, err := fault.Do("read ledger", func() ([]byte, error) { return os.ReadFile(ledgerPath(bundle)) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of resources: %w", err)
	}
	l := new(ledger)
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("read the list of resources: %w", err)
	}
	return l, nil
}

// removeLedger removes the ledger of a bundle and the draft of one, if they are there.
func removeLedger(bundle string) error {
	var errs []error
	for _, path := range []string{draftPath(bundle), ledgerPath(bundle)} {
		if err := fault.Call("remove ledger", func() error { return os.Remove(path) }); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
