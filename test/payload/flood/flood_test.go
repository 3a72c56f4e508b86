package flood

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing"
	"testing/iotest"
)

// The bytes never change: an older payload and a newer test must agree on them.
func TestWrite_FirstMiB_HasKnownHash(t *testing.T) {
	h := sha256.New()
	if err := Write(h, 1<<20); err != nil {
		t.Fatal(err)
	}
	const want = "3f9706886fc79a6b13e94bd835e0e12cf498bc00f8b7d6c5dff5444d53b9760c"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("sha256 of the first MiB = %s, want %s", got, want)
	}
}

// The stream is read in pieces of odd sizes.
func TestReader_AnyReadSize_SameBytes(t *testing.T) {
	const n = 4099
	var whole bytes.Buffer
	if err := Write(&whole, n); err != nil {
		t.Fatal(err)
	}
	single, err := io.ReadAll(iotest.OneByteReader(Reader(n)))
	if err != nil {
		t.Fatal(err)
	}
	if whole.Len() != n || !bytes.Equal(whole.Bytes(), single) {
		t.Errorf("read byte by byte, the %d bytes differ from the %d read at once", len(single), whole.Len())
	}
}
