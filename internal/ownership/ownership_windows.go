package ownership

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/pipe"
)

// installer is NT SERVICE\TrustedInstaller, which owns the files of Windows.
const installer = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// owned opens the path itself, not what a link leads to.
//
// https://learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-getsecurityinfo
func owned(path string) (ours bool, owner string, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return false, "", err
	}
	const flags = windows.FILE_FLAG_BACKUP_SEMANTICS | windows.FILE_FLAG_OPEN_REPARSE_POINT |
		windows.SECURITY_SQOS_PRESENT | windows.SECURITY_IDENTIFICATION
	h, err := windows.CreateFile(name, windows.READ_CONTROL, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, flags, 0)
	if err != nil {
		return false, "", err
	}
	defer windows.CloseHandle(h) //nolint:errcheck // it was only read
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return false, "", err
	}
	sid, _, err := sd.Owner()
	if err != nil {
		return false, "", err
	}
	ours, err = trusted(sid)
	return ours, sid.String(), err
}

// trusted reports whether an owner could change every file of this process anyway.
func trusted(sid *windows.SID) (bool, error) {
	if sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.String() == installer {
		return true, nil
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return false, fmt.Errorf("query the user of this process: %w", err)
	}
	return sid.Equals(user.User.Sid), nil
}

func makeDir(path, sddl string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	attributes, err := pipe.SecurityAttributes(sddl)
	if err != nil {
		return err
	}
	if err := windows.CreateDirectory(name, attributes); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}
