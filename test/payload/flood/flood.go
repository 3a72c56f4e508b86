// Package flood makes the bytes that the payload's mode "flood" prints, so that a test can check that all of them arrive in
// order.
package flood

import (
	"io"
	"math/rand/v2"
)

// letters are 64 printable bytes, one for each six random bits.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Write writes n bytes to w: always the same ones, without a line end.
func Write(w io.Writer, n int64) error {
	_, err := io.Copy(w, Reader(n))
	return err
}

// Reader returns the bytes that Write writes.
func Reader(n int64) io.Reader {
	return io.LimitReader(&source{rng: rand.NewPCG(20, 26)}, n)
}

// source is the infinite stream.
type source struct {
	rng  *rand.PCG
	bits uint64
	left int // letters still in bits
}

func (s *source) Read(p []byte) (int, error) {
	for i := range p {
		if s.left == 0 {
			s.bits, s.left = s.rng.Uint64(), 10
		}
		p[i] = letters[s.bits&63]
		s.bits >>= 6
		s.left--
	}
	return len(p), nil
}
