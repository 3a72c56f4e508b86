package pipe

import (
	"crypto/rand"
	"testing"

	"golang.org/x/sys/windows"
)

// address is one that nothing listens at.
func address(*testing.T) string { return Local + "silo-test-" + rand.Text() }

func TestSecurityAttributes_Descriptors_AreProtected(t *testing.T) {
	for _, sddl := range []string{Administrators, Owner} {
		sa, err := SecurityAttributes(sddl)
		if err != nil {
			t.Errorf("%s: %v", sddl, err)
			continue
		}
		control, _, err := sa.SecurityDescriptor.Control()
		if err != nil || control&windows.SE_DACL_PROTECTED == 0 {
			t.Errorf("%s: control %#x, %v: not protected", sddl, control, err)
		}
	}
	if _, err := SecurityAttributes("D:P(A"); err == nil {
		t.Error("a malformed descriptor is taken")
	}
}
