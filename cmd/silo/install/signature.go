package install

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/smallstep/pkcs7"
)

// errUnsigned is returned for an executable without a signature.
var errUnsigned = errors.New("not signed")

// DescribeSignature says who signed an executable, by the certificate in it. Neither the signature nor the certificate is
// verified: that is the system's task, for which this program may not have the root certificates.
func DescribeSignature(exe []byte) string {
	signer, err := signerOf(exe)
	switch {
	case errors.Is(err, errUnsigned):
		return "not signed"
	case err != nil:
		return fmt.Sprintf("its signature cannot be read: %v", err)
	}
	name := cmp.Or(signer.Subject.CommonName, signer.Subject.String())
	return "signed by " + strings.Map(printable, name) + " (not verified)"
}

// printable replaces what would control a terminal.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// signerOf returns the certificate of the first signature of an executable. It returns errUnsigned where there is none.
func signerOf(exe []byte) (*x509.Certificate, error) {
	message, err := signatureOf(exe)
	if err != nil {
		return nil, err
	}
	signature, err := pkcs7.Parse(message)
	if err != nil {
		return nil, err
	}
	signer := signature.GetOnlySigner()
	if signer == nil {
		return nil, errors.New("the certificate of its signer is not in it")
	}
	return signer, nil
}

// The fields of WIN_CERTIFICATE that precede the signature, and the values of a PKCS #7 message.
//
// https://learn.microsoft.com/windows/win32/debug/pe-format#the-attribute-certificate-table-image-only
const (
	certificateHeader = 8
	certificateType   = 2 // WIN_CERT_TYPE_PKCS_SIGNED_DATA
)

// signatureOf returns the PKCS #7 message of an executable.
func signatureOf(exe []byte) ([]byte, error) {
	image, err := pe.NewFile(bytes.NewReader(exe))
	if err != nil {
		return nil, err
	}
	var directories []pe.DataDirectory
	switch header := image.OptionalHeader.(type) {
	case *pe.OptionalHeader64:
		directories = header.DataDirectory[:min(header.NumberOfRvaAndSizes, uint32(len(header.DataDirectory)))]
	case *pe.OptionalHeader32:
		directories = header.DataDirectory[:min(header.NumberOfRvaAndSizes, uint32(len(header.DataDirectory)))]
	}
	if len(directories) <= pe.IMAGE_DIRECTORY_ENTRY_SECURITY {
		return nil, errUnsigned
	}
	// The address of this table, and of no other, is an offset in the file.
	at := directories[pe.IMAGE_DIRECTORY_ENTRY_SECURITY]
	if at.Size == 0 {
		return nil, errUnsigned
	}
	begin, end := uint64(at.VirtualAddress), uint64(at.VirtualAddress)+uint64(at.Size)
	if end > uint64(len(exe)) || at.Size < certificateHeader {
		return nil, errors.New("the certificate table is outside of the file")
	}
	table := exe[begin:end]
	length, kind := binary.LittleEndian.Uint32(table), binary.LittleEndian.Uint16(table[6:])
	if kind != certificateType {
		return nil, fmt.Errorf("certificate type %d is unknown", kind)
	}
	if length < certificateHeader || uint64(length) > uint64(len(table)) {
		return nil, errors.New("the certificate is longer than its table")
	}
	return table[certificateHeader:length], nil
}
