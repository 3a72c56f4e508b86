package host

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/shim/spec"
)

// token is the user that a container's programs run as. The zero value is the shim's own.
type token struct{ handle uintptr }

// Handle is 0 for the shim's own user.
func (t token) Handle() uintptr { return t.handle }

// services are the accounts that need no password, by their full name in upper case.
// See https://learn.microsoft.com/windows/win32/services/service-user-accounts.
var services = map[string]string{
	`NT AUTHORITY\SYSTEM`:          "SYSTEM",
	`NT AUTHORITY\LOCAL SERVICE`:   "LocalService",
	`NT AUTHORITY\LOCALSERVICE`:    "LocalService",
	`NT AUTHORITY\NETWORK SERVICE`: "NetworkService",
	`NT AUTHORITY\NETWORKSERVICE`:  "NetworkService",
}

// logon makes the token of a plan's user.
func logon(plan *spec.Job) (token, error) {
	if plan.InheritUser {
		return token{}, nil
	}
	name := plan.Process.Username
	if name == "" {
		return token{}, fmt.Errorf("process.user.username is empty: name one of the service accounts "+
			"(NT AUTHORITY\\SYSTEM, Local Service, Network Service) or set the annotation "+
			"microsoft.com/hostprocess-inherit-user: %w", errdefs.ErrInvalidArgument)
	}
	account, ok := services[strings.ToUpper(name)]
	if !ok {
		return token{}, fmt.Errorf("process.user.username %q: only the service accounts are implemented "+
			"(NT AUTHORITY\\SYSTEM, Local Service, Network Service): %w", name, errdefs.ErrNotImplemented)
	}
	return logonService(account)
}
