package install_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/pe"
	"encoding/binary"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// signatureMessage is a PKCS #7 message that a certificate of this name has signed.
func signatureMessage(t testing.TB, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	message, err := pkcs7.NewSignedData([]byte("the digest of an executable"))
	if err != nil {
		t.Fatal(err)
	}
	if err := message.AddSigner(certificate, key, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	signed, err := message.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// image is an executable without sections and with this certificate table, or without one if it is nil.
func image(t testing.TB, table []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString("MZ")
	out.Write(make([]byte, 58))
	optional := pe.OptionalHeader64{Magic: 0x20b, NumberOfRvaAndSizes: 16}
	if table != nil {
		at := 64 + 4 + binary.Size(pe.FileHeader{}) + binary.Size(optional)
		optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_SECURITY] = pe.DataDirectory{VirtualAddress: uint32(at), Size: uint32(len(table))}
	}
	for _, part := range []any{
		uint32(64), [4]byte{'P', 'E'},
		pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64, SizeOfOptionalHeader: uint16(binary.Size(optional))}, optional, table,
	} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// certificateTable has one message, padded as in an executable.
func certificateTable(length uint32, kind uint16, message []byte) []byte {
	table := binary.LittleEndian.AppendUint32(nil, length)
	table = binary.LittleEndian.AppendUint16(table, 0x200)
	table = binary.LittleEndian.AppendUint16(table, kind)
	table = append(table, message...)
	return append(table, make([]byte, -len(table)&7)...)
}

func signedImage(t testing.TB, name string) []byte {
	message := signatureMessage(t, name)
	return image(t, certificateTable(uint32(8+len(message)), 2, message))
}

func TestDescribeSignature_OfExecutables(t *testing.T) {
	message := signatureMessage(t, "x")
	signed := signedImage(t, "x")
	for name, c := range map[string]struct {
		exe  []byte
		want string
	}{
		"signed":                   {signedImage(t, "Silo Test"), "signed by Silo Test (not verified)"},
		"a name with an escape":    {signedImage(t, "Silo\x1b[2JTest"), "signed by Silo\uFFFD[2JTest (not verified)"},
		"unsigned":                 {image(t, nil), "not signed"},
		"no executable":            {[]byte("the shim"), "its signature cannot be read: "},
		"a table past the end":     {signed[:len(signed)-8], "outside of the file"},
		"a message past its table": {image(t, certificateTable(1<<31, 2, message)), "longer than its table"},
		"another certificate type": {image(t, certificateTable(uint32(8+len(message)), 1, message)), "certificate type 1 is unknown"},
		"no message":               {image(t, certificateTable(8, 2, nil)), "its signature cannot be read: "},
	} {
		if got := install.DescribeSignature(c.exe); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestInstall_SignedShim_PlanNamesTheSigner(t *testing.T) {
	for want, program := range map[string][]byte{"signed by Silo Test (not verified)": signedImage(t, "Silo Test"), "not signed": image(t, nil)} {
		w := newWorld(t, v3)
		write(t, w.shim, string(program))
		p, err := w.node(t).Install(w.shim, install.Choices{Edit: true})
		if err != nil {
			t.Fatal(err)
		}
		if why := p.Changes[0].Why; !strings.HasSuffix(why, "; "+want) {
			t.Errorf("%q, want %q at its end", why, want)
		}
	}
}

func FuzzDescribeSignature(f *testing.F) {
	f.Add(image(f, nil))
	f.Add(signedImage(f, "Silo Test"))
	f.Add(image(f, certificateTable(1<<31, 2, []byte{0x30, 0x80})))
	f.Fuzz(func(t *testing.T, exe []byte) {
		if install.DescribeSignature(exe) == "" {
			t.Error("no description")
		}
	})
}
