package hostprocess

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"structs"
	"unsafe"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/jobobject"
)

// Accounts has the local users and groups of a machine. Deleting an account that does not exist is no error. An Accounts
// is safe for concurrent use.
type Accounts interface {
	// IsGroup reports whether a local group has this name.
	IsGroup(name string) (bool, error)
	// Create makes a local user that is a member of a local group.
	Create(name, password, group, comment string) error
	// List returns all local users.
	List() ([]Account, error)
	Delete(name string) error
	// Logon makes a token. A service account has no password.
	Logon(u User) (Token, error)
}

// Account is a local user.
type Account struct{ Name, Comment string }

// User is the user of a logon.
type User struct {
	Domain, Name, Password string
	Service                bool
}

// Token is the token of a user. Close releases it.
type Token interface {
	// Handle is 0 for the user of this process.
	Handle() uintptr
	// Environment returns the environment block of the user.
	Environment() ([]string, error)
	Close() error
}

const (
	// accountPrefix begins the name of every account that is made for a container.
	accountPrefix = "silo-"
	// accountComment begins its comment. The namespace and the id follow.
	accountComment = "siloshim container "
)

// accountName is the name of the account of a container. It has the maximum length of Windows, and differs between
// containers.
func accountName(namespace, id string) string {
	const longest = 20
	sum := sha256.Sum256([]byte(namespace + "/" + id))
	return accountPrefix + hex.EncodeToString(sum[:])[:longest-len(accountPrefix)]
}

// newPassword makes a random password with the character classes of every password policy. It is not stored.
func newPassword() string {
	var b [33]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:]) + "aA1!"
}

// services are the service accounts, by their names in upper case without blanks. They have no password.
//
// https://learn.microsoft.com/windows/win32/services/service-user-accounts
var services = map[string]string{
	"SYSTEM": "SYSTEM", "LOCALSYSTEM": "SYSTEM", "LOCALSERVICE": "LocalService", "NETWORKSERVICE": "NetworkService",
}

// authority is the domain of the service accounts.
const authority = "NT AUTHORITY"

// groupOf returns the local group that a plan names as its user, or "" for a user. After an error either is possible.
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

// serviceOf returns the service account of that name, or "".
func serviceOf(domain, name string) string {
	if domain != "" && !strings.EqualFold(domain, authority) {
		return ""
	}
	return services[strings.ReplaceAll(strings.ToUpper(name), " ", "")]
}

// logon makes the token of a plan's user. For a group it makes an account in that group, which is deleted with the
// container. If groupErr is the error of groupOf, the name is taken for a user, as hcsshim does.
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
		return nil, fmt.Errorf("process.user.username %q: log on without a password: %w; name a service account "+
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

// Orphan is an account of a container that does not exist any more.
type Orphan struct{ Account, Namespace, ID string }

// Orphans lists the accounts of containers that do not exist any more. The job of a container exists before its account
// and until after it, so no account of a running container is listed.
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
			return nil, fmt.Errorf("open the job of account %s: %w", a.Name, err)
		default:
			if err := job.Close(); err != nil {
				return nil, err
			}
		}
	}
	return orphans, nil
}

// The structures that Windows reads or writes. They are declared on every system so that their layout is tested there.

// userInfo1 is USER_INFO_1.
//
// https://learn.microsoft.com/windows/win32/api/lmaccess/ns-lmaccess-user_info_1
type userInfo1 struct {
	_              structs.HostLayout
	name, password *uint16
	passwordAge    uint32
	priv           uint32
	homeDir        *uint16
	comment        *uint16
	flags          uint32
	scriptPath     *uint16
}

// localGroupMembersInfo0 is LOCALGROUP_MEMBERS_INFO_0.
//
// https://learn.microsoft.com/windows/win32/api/lmaccess/ns-lmaccess-localgroup_members_info_0
type localGroupMembersInfo0 struct {
	_   structs.HostLayout
	sid unsafe.Pointer
}
