package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Launch is the command line that has run a container, for silo start. Arguments and environment may be secrets.
type Launch struct {
	Args []string `json:"args"` // of silo
	Dir  string   `json:"dir"`
	Env  []string `json:"env"`
}

// launchFile is in the directory of each container.
const launchFile = "launch.json"

// sealedLaunch is the content of the file.
type sealedLaunch struct {
	Version    int    `json:"version"`
	Protection string `json:"protection"` // of the data, see protection
	Data       []byte `json:"data"`       // a Launch as JSON
}

// ErrNoLaunch is returned where no command line of a container is stored.
var ErrNoLaunch = errors.New("its command line is not stored")

// WriteLaunch stores the command line of a container for its owner. On Windows it is encrypted for the user.
func (r Records) WriteLaunch(id string, l *Launch) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	sealed := sealedLaunch{Version: recordVersion, Protection: protection}
	if sealed.Data, err = protect(text); err != nil {
		return fmt.Errorf("encrypt the command line of %s: %w", id, err)
	}
	if text, err = json.MarshalIndent(sealed, "", "  "); err != nil {
		return err
	}
	path := filepath.Join(r.Path(id), launchFile)
	err = r.MakeDir(id)
	if err == nil {
		err = writeOwned(path+".new", text)
	}
	if err == nil {
		err = retry(writeRetries, func() error { return os.Rename(path+".new", path) })
	}
	if err != nil {
		return fmt.Errorf("store the command line of %s: %w", id, err)
	}
	return nil
}

// ReadLaunch returns the command line of a container. It returns [ErrNoLaunch] where none is stored, and an error where
// another user has stored it.
func (r Records) ReadLaunch(id string) (*Launch, error) {
	path := filepath.Join(r.Path(id), launchFile)
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoLaunch
	}
	if err != nil {
		return nil, fmt.Errorf("read the command line of %s: %w", id, err)
	}
	var sealed sealedLaunch
	if err := json.Unmarshal(text, &sealed); err != nil {
		return nil, fmt.Errorf("read the command line of %s: %s: %w", id, path, err)
	}
	switch {
	case sealed.Version > recordVersion:
		return nil, fmt.Errorf("read the command line of %s: %s has version %d, and this silo reads %d: %w", id, path, sealed.Version, recordVersion, ErrNewer)
	case sealed.Protection != protection:
		return nil, fmt.Errorf("read the command line of %s: %s has the protection %q, and this silo reads %q", id, path, sealed.Protection, protection)
	}
	plain, err := unprotect(sealed.Data)
	if err != nil {
		return nil, fmt.Errorf("decrypt the command line of %s: only the user that has run it can: %w", id, err)
	}
	l := new(Launch)
	if err := json.Unmarshal(plain, l); err != nil {
		return nil, fmt.Errorf("read the command line of %s: %s: %w", id, path, err)
	}
	return l, nil
}
