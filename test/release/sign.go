package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// signing is how executables are signed; not at all without a certificate.
type signing struct{ certificate, key, timestamp string }

// check returns an error for what is missing.
func (s signing) check() error {
	if (s.certificate == "") != (s.key == "") {
		return errors.New("signing needs both a certificate and its key; set CERT and KEY, or neither")
	}
	if s.certificate == "" {
		return nil
	}
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		return fmt.Errorf("signing: %w; install the Debian package osslsigncode", err)
	}
	return nil
}

// sign signs an executable in its place.
func (s signing) sign(ctx context.Context, exe, description string) error {
	if s.certificate == "" {
		return nil
	}
	signed := exe + ".signed"
	args := []string{"sign", "-certs", s.certificate, "-key", s.key, "-h", "sha256", "-n", description, "-i", projectURL, "-in", exe, "-out", signed}
	if s.timestamp != "" {
		args = append(args, "-ts", s.timestamp)
	}
	if _, err := run(ctx, ".", nil, "osslsigncode", args...); err != nil {
		return err
	}
	return os.Rename(signed, exe)
}
