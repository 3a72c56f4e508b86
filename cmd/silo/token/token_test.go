package token_test

import (
	"errors"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/token"
)

func TestRestriction_Validate_KnownNamesOnly(t *testing.T) {
	for _, bad := range []token.Restriction{{Integrity: "high"}, {Integrity: "lofty"}, {Privileges: []string{"Debug"}}, {Privileges: []string{""}}, {User: "Administrator"}} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	good := token.Restriction{Integrity: "low", Privileges: []string{"SeDebugPrivilege"}, AllPrivileges: true}
	if err := good.Validate(); err != nil || good.Empty() {
		t.Errorf("%v, empty %v", err, good.Empty())
	}
	if user := (token.Restriction{User: `nt authority\local service`}); user.Validate() != nil || user.Empty() {
		t.Error("a service account is refused, or taken for nothing")
	}
	if none := (token.Restriction{}); !none.Empty() {
		t.Error("the zero restriction is not empty")
	}
}

// A token that is less restricted than requested is not made.
func TestNew_UnknownAccount_Refused(t *testing.T) {
	made, err := token.New(&token.Restriction{SIDs: []string{`NO-SUCH-DOMAIN\no-such-user`}})
	if err == nil {
		t.Errorf("a token was made: %v", errors.Join(made.Close()))
	}
}
