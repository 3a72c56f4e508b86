package plan

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/containerd/errdefs"
)

// name is what becomes part of file, pipe and job names: nothing that any of them gives a meaning.
var name = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,75})$`)

// device is a name that Windows keeps for a device, in every directory and with any extension.
// https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
var device = regexp.MustCompile(`(?i)^(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(\..*)?$`)

// ValidID checks a container or exec id. It returns [errdefs.ErrInvalidArgument].
func ValidID(id string) error { return ValidName("id", id) }

// ValidName checks the value of a field that becomes part of names. It returns [errdefs.ErrInvalidArgument].
func ValidName(field, value string) error {
	switch {
	case !name.MatchString(value):
		return fmt.Errorf("%s %q: use 1 to 76 of A-Z a-z 0-9 . _ - and begin with a letter or digit: %w", field, value, errdefs.ErrInvalidArgument)
	case device.MatchString(value):
		return fmt.Errorf("%s %q: Windows keeps this name for a device: %w", field, value, errdefs.ErrInvalidArgument)
	case strings.HasSuffix(value, "."):
		return fmt.Errorf("%s %q: Windows drops the dot at the end: %w", field, value, errdefs.ErrInvalidArgument)
	}
	return nil
}
