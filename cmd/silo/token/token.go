package token

import (
	"fmt"
	"slices"
	"strings"
)

// Restriction is what to remove from the caller's token, or from that of a service account.
type Restriction struct {
	// User is the service account to run as, by its name such as NT AUTHORITY\Local Service; "" is the caller.
	User string
	// AllPrivileges removes every privilege but SeChangeNotifyPrivilege, without which no path can be opened.
	AllPrivileges bool
	// Privileges are the names of those to remove, such as SeDebugPrivilege.
	Privileges []string
	// SIDs, as S-1-5-32-544 or BUILTIN\Administrators, become deny-only.
	SIDs []string
	// Integrity is "", "untrusted", "low" or "medium".
	Integrity string
}

// Administrators is the group BUILTIN\Administrators, whose name differs with the language of Windows.
const Administrators = "S-1-5-32-544"

// service is an account that needs no password.
type service struct{ name, sid string }

// services has all service accounts, by their full name in upper case.
//
// https://learn.microsoft.com/windows/win32/services/service-user-accounts
var services = map[string]service{
	`NT AUTHORITY\SYSTEM`:          {"SYSTEM", "S-1-5-18"},
	`NT AUTHORITY\LOCAL SERVICE`:   {"LocalService", "S-1-5-19"},
	`NT AUTHORITY\LOCALSERVICE`:    {"LocalService", "S-1-5-19"},
	`NT AUTHORITY\NETWORK SERVICE`: {"NetworkService", "S-1-5-20"},
	`NT AUTHORITY\NETWORKSERVICE`:  {"NetworkService", "S-1-5-20"},
}

// Empty reports whether the caller's token is used as it is.
func (r *Restriction) Empty() bool {
	return r.User == "" && !r.removes()
}

// removes reports whether something is to be removed from the user's token.
func (r *Restriction) removes() bool {
	return r.AllPrivileges || len(r.Privileges) > 0 || len(r.SIDs) > 0 || r.Integrity != ""
}

// Validate checks what can be checked without Windows.
func (r *Restriction) Validate() error {
	if _, known := services[strings.ToUpper(r.User)]; r.User != "" && !known {
		return fmt.Errorf("user %q needs a password, which silo does not take; use NT AUTHORITY\\SYSTEM, Local Service or Network Service", r.User)
	}
	if r.Integrity != "" && !slices.Contains([]string{"untrusted", "low", "medium"}, r.Integrity) {
		return fmt.Errorf("integrity %q is unknown; use untrusted, low or medium", r.Integrity)
	}
	for _, name := range r.Privileges {
		if !strings.HasPrefix(name, "Se") || !strings.HasSuffix(name, "Privilege") {
			return fmt.Errorf("privilege %q is malformed; use a name such as SeDebugPrivilege", name)
		}
	}
	return nil
}

// Facts describe a token.
type Facts struct {
	User       string   `json:"user"`
	Integrity  string   `json:"integrity"`
	Elevated   bool     `json:"elevated"`
	Privileges []string `json:"privileges"`
	DenyOnly   []string `json:"deny_only"` // SIDs of deny-only groups
}
