package testenv

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A stamp is a file with the hash of all inputs of a step. A step whose stamp is current is skipped. The stamps of files in
// the prefix are in the prefix, so that they are removed with it.

// The stamps, as paths below .bed.
const (
	prefixStamp  = "prefix/.stamp-prefix"
	gapStamp     = "prefix/.stamp-gap"
	peerStamp    = "prefix/.stamp-peer"
	serviceStamp = "prefix/.stamp-service"
)

// stamped reports whether the step was ever done.
func (e *Env) stamped(stamp string) bool {
	_, err := os.Stat(e.path(stamp))
	return err == nil
}

// current reports whether the step was last done from the inputs with this key.
func (e *Env) current(stamp, key string) bool {
	old, err := os.ReadFile(e.path(stamp))
	return err == nil && string(old) == key
}

// setStamp records that a step is done.
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
		_ = f.Close() // it was only read
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// install replaces the file to with a copy of from, in one step. A process that runs the old file keeps it.
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
	defer os.Remove(dst.Name()) //nolint:errcheck // it was renamed unless there is an error
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

// step runs a step of the set-up and writes its progress to out: at its beginning, every ten seconds, and at its end.
func step(out io.Writer, name string, do func() error) error {
	begin := time.Now()
	elapsed := func() time.Duration { return time.Since(begin).Round(100 * time.Millisecond) }
	fmt.Fprintf(out, "wine: %s ...\n", name)
	ended := make(chan error, 1)
	go func() { ended <- do() }() // the loop below waits for it
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Fprintf(out, "wine: %s: done in %v\n", name, elapsed())
			return nil
		case <-ticker.C:
			fmt.Fprintf(out, "wine: %s ... %v\n", name, elapsed())
		}
	}
}
