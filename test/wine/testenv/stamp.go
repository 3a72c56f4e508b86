package testenv

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
)

// A stamp is a file that holds the hash of all a step was made from. A step whose stamp is current is skipped. Stamps
// of what lies in the prefix lie there too, so that they vanish with it.

// The stamps, as paths below .bed.
const (
	prefixStamp = "prefix/.stamp-prefix"
	gapStamp    = "prefix/.stamp-gap"
	peerStamp   = "prefix/.stamp-peer"
)

// stamped reports whether the step has ever been done.
func (e *Env) stamped(stamp string) bool {
	_, err := os.Stat(e.path(stamp))
	return err == nil
}

// current reports whether the step was last done from these very inputs.
func (e *Env) current(stamp, key string) bool {
	old, err := os.ReadFile(e.path(stamp))
	return err == nil && string(old) == key
}

// setStamp records a step that is done.
func (e *Env) setStamp(stamp, key string) error {
	path := e.path(stamp)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(key), 0o644)
}

// keyOf hashes words, and the names and contents of files.
func keyOf(words []string, files ...string) (string, error) {
	h := sha256.New()
	for _, w := range words {
		_, _ = io.WriteString(h, w+"\x00") // a hash never fails
	}
	for _, path := range files {
		_, _ = io.WriteString(h, filepath.Base(path)+"\x00")
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, f)
		_ = f.Close() // only read
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// install puts a copy of the file at from in place of to, in one step: a process that runs the old one keeps it.
func install(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(dst.Name()) //nolint:errcheck // gone already when all went well
	if _, err = io.Copy(dst, src); err == nil {
		err = dst.Chmod(0o755)
	}
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(dst.Name(), to)
}
