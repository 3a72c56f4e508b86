package hostprocess

import (
	"errors"
	"fmt"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// Account is a local user.
type Account struct{ Name, Comment string }

// accountComment begins the comment of every account that is made here; its container follows.
const accountComment = "siloshim container "

// Orphan is an account that was made for a container, and is left after its end.
type Orphan struct{ Account, Namespace, ID string }

// Orphans lists accounts of ours whose containers are gone, and their bundles too, it
// may be. A container's job is there before its account and as long as that, so no account of a living one is listed.
func Orphans(accounts Accounts, k jobobject.Kernel) ([]Orphan, error) {
	list, err := accounts.List()
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	var orphans []Orphan
	for _, a := range list {
		container, ours := strings.CutPrefix(a.Comment, accountComment)
		namespace, id, whole := strings.Cut(container, "/")
		if !ours || !whole || a.Name != accountName(namespace, id) {
			continue
		}
		job, err := jobobject.Open(JobName(namespace, id), jobobject.OpenOptions{Kernel: k})
		switch {
		case errors.Is(err, jobobject.ErrNotExist):
			orphans = append(orphans, Orphan{a.Name, namespace, id})
		case err != nil:
			return nil, fmt.Errorf("look for the container of account %s: %w", a.Name, err)
		default:
			if err := job.Close(); err != nil {
				return nil, err
			}
		}
	}
	return orphans, nil
}
