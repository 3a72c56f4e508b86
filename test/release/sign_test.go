package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// testCertificate writes a certificate for code signing that issues itself, and its key.
func testCertificate(t *testing.T, name string) signing {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"siloshim tests"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := signing{certificate: filepath.Join(t.TempDir(), "cert.pem"), key: filepath.Join(t.TempDir(), "key.pem")}
	for path, block := range map[string]*pem.Block{s.certificate: {Type: "CERTIFICATE", Bytes: certificate}, s.key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// withoutChecksum clears what signing changes beside the signature: the checksum in the optional header, and the padding.
func withoutChecksum(exe []byte) []byte {
	const afterSignature, header, checksum = 4, 20, 64
	at := binary.LittleEndian.Uint32(exe[0x3C:]) + afterSignature + header + checksum
	clear(exe[at : at+4])
	return bytes.TrimRight(exe, "\x00")
}

func TestSign_TestCertificate_InstallNamesTheSigner(t *testing.T) {
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		t.Skip("osslsigncode is missing; install the Debian package of that name")
	}
	dir, _ := unpacked(t, "amd64")
	for _, c := range commands {
		exe := filepath.Join(dir, c.exe())
		unsigned, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		s := testCertificate(t, "Silo Test Signer")
		if err := s.sign(t.Context(), exe, c.description); err != nil {
			t.Fatal(err)
		}
		signed, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		if before, after := install.DescribeSignature(unsigned), install.DescribeSignature(signed); before != "not signed" || after != "signed by Silo Test Signer (not verified)" {
			t.Errorf("%s: %q, then %q", c.name, before, after)
		}
		if out, err := exec.CommandContext(t.Context(), "osslsigncode", "verify", "-CAfile", s.certificate, "-in", exe).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", c.name, err, out)
		}
		bare := exe + ".bare"
		if out, err := exec.CommandContext(t.Context(), "osslsigncode", "remove-signature", "-in", exe, "-out", bare).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, out)
		}
		again, err := os.ReadFile(bare)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(withoutChecksum(again), withoutChecksum(unsigned)) {
			t.Errorf("%s without its signature differs from the unsigned one", c.name)
		}
	}
}
