package hostprocess

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
)

// Accounts are the local users and groups of the machine, and the way to become one of the users. Deleting an account
// that is not there is no error. An Accounts is safe for concurrent use.
type Accounts interface {
	// IsGroup tells whether a local group has this name.
	IsGroup(name string) (bool, error)
	// Create makes a local user in a local group.
	Create(name, password, group, comment string) error
	// List lists the local users.
	List() ([]Account, error)
	Delete(name string) error
	// Logon makes a token. A service account has no password.
	Logon(u User) (Token, error)
}

// User is who is to be logged on.
type User struct {
	Domain, Name, Password string
	Service                bool
}

// Token is a user that programs can run as.
type Token interface {
	// Handle is 0 for the shim's own user.
	Handle() uintptr
	// Environment is what the user's programs start from.
	Environment() ([]string, error)
	Close() error
}

// accountMark begins the name of every account that is made here.
const accountMark = "silo-"

// accountName is that of the account of a container: as long as Windows takes, and another for each container.
func accountName(namespace, id string) string {
	const longest = 20
	sum := sha256.Sum256([]byte(namespace + "/" + id))
	return accountMark + hex.EncodeToString(sum[:])[:longest-len(accountMark)]
}

// newPassword makes one that nobody will know, and that any policy takes.
func newPassword() string {
	var b [33]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:]) + "aA1!"
}

// services are the accounts that need no password, by their name in upper case and without blanks.
// See https://learn.microsoft.com/windows/win32/services/service-user-accounts.
var services = map[string]string{
	"SYSTEM": "SYSTEM", "LOCALSYSTEM": "SYSTEM", "LOCALSERVICE": "LocalService", "NETWORKSERVICE": "NetworkService",
}

// authority is the domain of the service accounts.
const authority = "NT AUTHORITY"

// groupOf is the local group that a plan names as its user, or "". After an error the name may still be a user's.
func groupOf(a Accounts, planned *plan.HostProcess) (string, error) {
	domain, name := splitUser(planned.Process.Username)
	if planned.InheritUser || serviceOf(domain, name) != "" {
		return "", nil
	}
	if domain != "" && domain != "." && !strings.EqualFold(domain, "BUILTIN") {
		return "", nil
	}
	is, err := a.IsGroup(name)
	if err != nil {
		return "", fmt.Errorf("look up local group %q: %w", name, err)
	}
	if !is {
		return "", nil
	}
	return name, nil
}

func splitUser(text string) (domain, name string) {
	if domain, name, ok := strings.Cut(text, `\`); ok {
		return domain, name
	}
	return "", text
}

// serviceOf is the service account of that name, or "".
func serviceOf(domain, name string) string {
	if domain != "" && !strings.EqualFold(domain, authority) {
		return ""
	}
	return services[strings.ReplaceAll(strings.ToUpper(name), " ", "")]
}

// logon makes the token of a plan's user. A group is represented by an account that is made for it, and deleted with the container.
// groupErr is why the name could not be looked up as a group's; it is then taken for a user's, as the reference does.
func logon(a Accounts, planned *plan.HostProcess, account Account, group string, groupErr error, r *resource.Record) (Token, error) {
	if planned.InheritUser {
		return ownToken(), nil
	}
	username := planned.Process.Username
	if group != "" {
		return logonMember(a, account, group, r)
	}
	domain, name := splitUser(username)
	if is := serviceOf(domain, name); is != "" {
		t, err := a.Logon(User{Domain: authority, Name: is, Service: true})
		if err != nil {
			return nil, fmt.Errorf("log on as %s\\%s: %w", authority, is, err)
		}
		return t, nil
	}
	t, err := a.Logon(User{Domain: domain, Name: name})
	if err != nil && groupErr != nil {
		return nil, fmt.Errorf("process.user.username %q: %w; log on without a password: %w: %w", username, groupErr, err, errdefs.ErrUnavailable)
	}
	if err != nil {
		return nil, fmt.Errorf("process.user.username %q: log on without a password: %w: name a service account "+
			"(NT AUTHORITY\\SYSTEM, Local Service, Network Service) or a local group: %w", username, err, errdefs.ErrInvalidArgument)
	}
	return t, nil
}

func logonMember(a Accounts, account Account, group string, r *resource.Record) (Token, error) {
	password := newPassword()
	r.Begin(resource.Resource{Kind: resource.Account, Name: account.Name})
	if err := a.Create(account.Name, password, group, account.Comment); err != nil {
		return nil, fmt.Errorf("make account %s in group %q: %w", account.Name, group, err)
	}
	t, err := a.Logon(User{Domain: ".", Name: account.Name, Password: password})
	if err != nil {
		return nil, fmt.Errorf("log on as account %s of group %q: %w", account.Name, group, err)
	}
	return t, nil
}
